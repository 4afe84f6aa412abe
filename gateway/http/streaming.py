"""Answers that are sent while they come."""

from __future__ import annotations

from gateway.http.exchange import Exchange
from gateway.http.headers import Header, encode_headers
from gateway.http.statuses import BODILESS

_CHUNKED = (b"transfer-encoding", b"chunked")


class StreamedAnswer:
    """The answer of an exchange: its head is sent at once, its body in pieces."""

    def __init__(self, exchange: Exchange, status: int, headers: list[Header]) -> None:
        self._exchange = exchange
        self._has_body = exchange.method != b"HEAD" and status not in BODILESS
        has_end = not self._has_body or any(name == b"content-length" for name, _ in headers)
        self._is_chunked = exchange.speaks_1_1 and not has_end
        lines = encode_headers([*headers, _CHUNKED] if self._is_chunked else headers)
        exchange.begin(status, lines, has_end=has_end or self._is_chunked)

    async def send(self, piece: bytes) -> None:
        """The next piece; returns once the client takes more."""
        if not piece or not self._has_body:
            return
        self._exchange.write(b"%x\r\n%b\r\n" % (len(piece), piece) if self._is_chunked else piece)
        await self._exchange.connection.drained()

    def end(self) -> None:
        """All pieces are sent."""
        if self._is_chunked:
            self._exchange.write(b"0\r\n\r\n")
        self._exchange.end()
