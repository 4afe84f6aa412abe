"""The first lines of answers, by their status."""

from __future__ import annotations

from http import HTTPStatus


class _StatusLines(dict[int, bytes]):
    def __missing__(self, status: int) -> bytes:
        return b"HTTP/1.1 %d \r\n" % status


STATUS_LINES = _StatusLines((each.value, f"HTTP/1.1 {each.value} {each.phrase}\r\n".encode()) for each in HTTPStatus)
"""Each with the end of the line; a status that has no phrase gets a line without one."""
CLIENT_GONE = 499
"""Counted for a request whose client has left before its answer; nginx's number for the same."""
BODILESS = frozenset({204, 304})
"""Statuses of answers that end with their head, https://www.rfc-editor.org/rfc/rfc9112#section-6.3."""
