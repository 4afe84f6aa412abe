"""A table of numbers, escaped as a whole: pages of charts have a thousand cells."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

_CELL, _HEAD, _ROW = "\0", "\1", "\2"
"""What stands between them until all is escaped; in no number and no time."""


def rows(found: Iterable[tuple[str, Iterable[str]]]) -> Markup:
    """Each with its head and its numbers."""
    texts = [f"{head}{_HEAD}{_CELL.join(numbers)}" for head, numbers in found]
    if not texts:
        return Markup()
    escaped = str(escape(_ROW.join(texts)))
    for between, markup in ((_HEAD, '</th><td class="n">'), (_CELL, '</td><td class="n">'), (_ROW, f"{_END}{_BEGIN}")):
        escaped = escaped.replace(between, markup)
    return Markup(f"{_BEGIN}{escaped}{_END}")  # it is escaped


_BEGIN, _END = '<tr><th scope="row">', "</td></tr>"
