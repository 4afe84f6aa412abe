"""Cells of numbers in a table, escaped together: pages of charts have a thousand."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

_BETWEEN = "\0"
"""In no number."""
_OPEN, _CLOSE = Markup('<td class="n">'), Markup("</td>")


def cells(texts: Iterable[str]) -> Markup:
    return _OPEN + escape(_BETWEEN.join(texts)).replace(_BETWEEN, _CLOSE + _OPEN) + _CLOSE
