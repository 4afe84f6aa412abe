"""Lists in parts: so many items, and what to ask for the rest with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

MOST = 1000
"""Items of a list in one answer."""
NEXT = "what `next` was in the answer before"
"""What a cursor is."""


def page(items: Sequence[T], limit: int, cursor: Callable[[T], str]) -> dict[str, object]:
    """The first of them, and what to ask for the rest with."""
    return {"items": items[:limit], "next": cursor(items[limit - 1]) if len(items) > limit else None}
