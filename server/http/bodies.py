"""Bodies of requests to the admin API, JSON, and of what a page of ours sends, forms."""

from __future__ import annotations

import re
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from core.errors import PawlError
from server.http.access import BodyTooLarge

T = TypeVar("T", bound=msgspec.Struct)

FORM = "application/x-www-form-urlencoded"

_MOST = 1024 * 1024
"""Bytes."""


class BodyMalformed(PawlError):
    """The body is not valid JSON; the edge answers 400."""


class BodyNotForm(PawlError):
    """The body is announced as something other than a page's form; the edge answers 415."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"the body is announced as {kind[:100]!r}; this takes a form, {FORM}")


class BodyInvalid(PawlError):
    """The body is JSON of another form; the edge answers 422."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


async def read_body(request: Request, kind: type[T]) -> T:
    """No body is as good as `{}`. Raises BodyTooLarge, BodyMalformed, BodyInvalid."""
    content = await _read(request, _MOST)
    try:
        return msgspec.json.decode(content or b"{}", type=kind)
    except msgspec.ValidationError as error:
        takes = ", ".join(kind.__struct_fields__)
        raise BodyInvalid(f"the body does not fit: {error}; it takes {takes}", _field(str(error))) from error
    except msgspec.DecodeError as error:
        raise BodyMalformed(f"the body is not valid JSON: {error}") from error


async def read_form(request: Request, most: int = _MOST) -> dict[str, str]:
    """Of fields of one name, the last. `most`: bytes. Raises BodyTooLarge, BodyNotForm."""
    if (kind := media_type(request)) not in ("", FORM):
        raise BodyNotForm(kind)
    return dict(parse_qsl((await _read(request, most)).decode(errors="replace"), keep_blank_values=True))


def media_type(request: Request) -> str:
    """What the body is announced as, without parameters; empty: nothing is said of it."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _read(request: Request, most: int) -> bytes:
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > most:
            raise BodyTooLarge
    return bytes(content)


def check_length(request: Request, most: int) -> None:
    """Raises BodyTooLarge where the request says already that its body is larger: then none of it need be read."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise BodyTooLarge


def _field(message: str) -> str:
    """Which one msgspec speaks of; empty: the body as a whole."""
    found = re.search(r"field `(.+)`|(?:at|in) `\$\.(.+)`", message)
    return "" if found is None else found[1] or found[2]
