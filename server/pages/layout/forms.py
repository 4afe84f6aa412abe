"""What a form of ours sends."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

from server.http.access import BodyTooLarge

_MOST = 1024 * 1024
"""Bytes."""


async def read_form(request: Request) -> dict[str, str]:
    """Of fields of one name, the last. Raises BodyTooLarge."""
    content = b""
    async for piece in request.stream():
        content += piece
        if len(content) > _MOST:
            raise BodyTooLarge
    return dict(parse_qsl(content.decode(errors="replace"), keep_blank_values=True))
