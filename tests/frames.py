"""Frames as tests look at them."""

from __future__ import annotations

from typing import NamedTuple

from worker.wire.frames import FrameReader


class Frame(NamedTuple):
    """One frame, its parts named."""

    id: int
    deadline_ns: int
    detail: int
    """A request's format, an answer's status."""
    kind: int
    body: bytes

    @property
    def status(self) -> int:
        """Of an answer."""
        return self.detail


class NamedFrameReader(FrameReader):
    """The product's, with its frames' parts named."""

    def named(self, data: bytes) -> list[Frame]:
        return [Frame(*each) for each in self.feed(data)]
