"""The ends of an HTTP request as uvicorn gives them, https://asgi.readthedocs.io/en/latest/specs/www.html."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from server.gateway.refusal import CLOSE, JSON_TYPE, Refused, refuse, retry_after

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

_FORM = b"application/x-www-form-urlencoded"
"""What `curl -d` and urllib say of every body; the body is read as JSON all the same."""


def declared_length(headers: Headers) -> int:
    """Bytes that the body is said to have, 0 where nothing is said."""
    return next((int(value) for name, value in headers if name == b"content-length"), 0)


def json_length(headers: Headers) -> int:
    """The same of a body that must be plain JSON. Raises Refused for another."""
    length = 0
    for name, value in headers:
        if name == b"content-length":
            length = int(value)
        elif name == b"content-type":
            _check_type(value)
        elif name == b"content-encoding" and value.lower() != b"identity":
            raise refuse(415, "unsupported_encoding", "send the body without a Content-Encoding")
    return length


def _check_type(value: bytes) -> None:
    if value == b"application/json":
        return
    media = value.split(b";", 1)[0].strip().lower()
    if media and media not in (b"application/json", _FORM) and not media.endswith(b"+json"):
        raise refuse(415, "unsupported_media_type", "send JSON, with Content-Type: application/json")


async def respond(send: Send, status: int, body: bytes, headers: Headers = (JSON_TYPE,)) -> None:
    """The whole answer: `headers` need no length."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-length", b"%d" % len(body)), *headers],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def respond_refused(send: Send, refused: Refused, asked: Headers) -> None:
    """Refuse the request whose headers were `asked`."""
    # A client that expected a 100 may send its body or not: nobody can tell where its next request begins.
    close = (CLOSE,) if any(name == b"expect" for name, _ in asked) else ()
    headers = (JSON_TYPE, *retry_after(refused.status), *refused.headers, *close)
    await respond(send, refused.status, refused.body, headers)
