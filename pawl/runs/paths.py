"""Paths of the table, with names in them."""

from __future__ import annotations

from urllib.parse import quote

from core.paths import HttpPath


def path_of(path: HttpPath, **names: str) -> str:
    """The path with those names in it, whatever they hold."""
    return path.template.format(**{name: quote(held, safe="") for name, held in names.items()})
