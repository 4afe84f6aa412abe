"""JSON as the daemon answers it: one encoder, one shape of errors."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response


class Json(Response):
    """A JSON answer of whatever msgspec encodes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return msgspec.json.encode(content)


def error(status: int, code: str, message: str, **more: object) -> Json:
    """The error shape: `{"error": {"code": …, "message": …, …}}`."""
    return Json({"error": {"code": code, "message": message, **more}}, status_code=status)
