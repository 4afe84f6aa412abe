"""The limits on the bytes of request bodies in memory: for each body, and for all together."""

from __future__ import annotations

from gateway.http.refusals import Refused, refuse


class BodyBudget:
    """Counts the bytes of bodies in memory, and refuses what would be over a limit."""

    def __init__(self, max_body: int, max_buffered: int) -> None:
        self._max_body = max_body
        self._max_buffered = max_buffered
        self.held = 0

    def check(self, declared: int) -> None:
        """Raise Refused for a body of so many bytes that is still to come."""
        if declared > self._max_body:
            raise self._too_large()
        if self.held + declared > self._max_buffered:
            raise _overloaded()

    def take(self, before: int, more: int) -> None:
        """Hold `more` bytes of a body of which `before` are held already, until `release`. Raises Refused."""
        if before + more > self._max_body:
            raise self._too_large()
        if self.held + more > self._max_buffered:
            raise _overloaded()
        self.held += more

    def release(self, size: int) -> None:
        self.held -= size

    def _too_large(self) -> Refused:
        return refuse("body_too_large", f"a body has at most {self._max_body} bytes (MAX_BODY_MB)")


def _overloaded() -> Refused:
    return refuse("overloaded", "the bodies of other requests fill the memory set aside for them; try again")
