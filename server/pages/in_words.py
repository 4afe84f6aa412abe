"""What is being done for a release on its way, in words."""

from __future__ import annotations

_WORDS = {
    "checkout": "writing its files to the disk",
    "environment": "preparing its Python environment",
    "load": "starting its workers",
    "examples": "sending its examples to it",
}


def in_words(doing: str | None) -> str:
    """`doing`: a stage, or a line that is in words already; empty where nothing is done."""
    return _WORDS.get(doing, doing) if doing else ""
