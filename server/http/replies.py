"""JSON as the daemon answers it: one encoder, one shape of errors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import msgspec
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from core.error_codes import ERROR_CODES
from server.http.parameters import ParameterInvalid


class Json(Response):
    """A JSON answer of whatever msgspec encodes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return msgspec.json.encode(content)


class Streamed(StreamingResponse):
    """Sent piece by piece, as far as the client takes it; `done` is called in the end, whatever that was."""

    def __init__(
        self,
        content: AsyncIterator[bytes] | Iterator[bytes],
        *,
        media_type: str,
        headers: Mapping[str, str],
        done: Callable[[], None],
    ) -> None:
        super().__init__(content, headers=headers, media_type=media_type)
        self._done = done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._done()


class Refusal(Json):
    """An answer in the one shape of errors, with what it says."""

    def __init__(self, code: str, message: str, more: Mapping[str, object], status: int, headers: dict[str, str]):
        super().__init__({"error": {"code": code, "message": message, **more}}, status, headers)
        self.code = code
        self.message = message
        self.field = str(more.get("field", ""))


def error(code: str, message: str, **more: object) -> Refusal:
    """The error shape, `{"error": {"code": …, "message": …, …}}`, of one of the table's codes."""
    known = ERROR_CODES[code]
    again = {} if known.retry_after_s is None else {"retry-after": str(known.retry_after_s)}
    return Refusal(code, message, more, known.status, again)


def invalid(caught: ParameterInvalid) -> Refusal:
    return error("invalid_parameter", str(caught), field=caught.name)
