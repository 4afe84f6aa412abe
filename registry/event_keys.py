"""Keys by which one process writes its events down: different for all events ever, and known as its own."""

from __future__ import annotations

from uuid import uuid4

_MARK = 8


class EventKeys:
    def __init__(self) -> None:
        self.mark = uuid4().hex[:_MARK]
        """How all of them begin."""

    def new(self) -> str:
        return self.mark + uuid4().hex[_MARK:]
