"""The bodies of requests, bounded each and all together."""

from __future__ import annotations

from server.gateway.asgi import Message, Receive
from server.gateway.refusal import Refused, refuse


class CallerGone(Exception):
    """The client has left before its request was whole."""


class Bodies:
    """Reads bodies, and knows how many bytes of them are held."""

    def __init__(self, max_body: int, max_buffered: int) -> None:
        self._max_body = max_body
        self._max_buffered = max_buffered
        self.held = 0

    async def read(self, receive: Receive, declared: int) -> bytes:
        """The body, of which `declared` bytes were announced (0: not said). Give it back with `release`.

        Raises Refused for what is over a bound, and CallerGone.
        """
        if declared > self._max_body:
            raise self._too_large()
        if self.held + declared > self._max_buffered:
            raise _overloaded()
        message = await receive()
        if message.get("more_body") or message["type"] != "http.request":
            return await self._read_on(receive, message)
        body: bytes = message["body"]
        self.held += len(body)
        return body

    def release(self, body: bytes) -> None:
        self.held -= len(body)

    async def _read_on(self, receive: Receive, message: Message) -> bytes:
        body = bytearray()
        try:
            while True:
                self._add(body, message)
                if not message["more_body"]:
                    return bytes(body)
                message = await receive()
        except BaseException:
            self.held -= len(body)
            raise

    def _add(self, body: bytearray, message: Message) -> None:
        if message["type"] != "http.request":
            raise CallerGone
        part = message["body"]
        if len(body) + len(part) > self._max_body:
            raise self._too_large()
        if self.held + len(part) > self._max_buffered:
            raise _overloaded()
        body += part
        self.held += len(part)

    def _too_large(self) -> Refused:
        return refuse(413, "body_too_large", f"a body has at most {self._max_body} bytes (MAX_BODY_MB)")


def _overloaded() -> Refused:
    return refuse(503, "overloaded", "the bodies of other requests fill the memory set aside for them; try again")
