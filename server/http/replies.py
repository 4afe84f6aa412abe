"""JSON as the daemon answers it: one encoder, one shape of errors."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from core.error_codes import ERROR_CODES


class Json(Response):
    """A JSON answer of whatever msgspec encodes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return msgspec.json.encode(content)


def error(code: str, message: str, **more: object) -> Json:
    """The error shape, `{"error": {"code": …, "message": …, …}}`, of one of the table's codes."""
    known = ERROR_CODES[code]
    again = {} if known.retry_after_s is None else {"retry-after": str(known.retry_after_s)}
    return Json({"error": {"code": code, "message": message, **more}}, known.status, again)
