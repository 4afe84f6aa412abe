"""What a form sends that has a file in it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from server.http.access import BodyTooLarge
from server.http.bodies import check_length

_MOST_FIELDS = 10
_OVERHEAD = 64 * 1024
"""Bytes of a form beside its file."""
_PIECE = 1 << 20


class FormInvalid(Exception):
    """The body is not a form of ours."""


class FormNotKept(Exception):
    """The disk takes no more of the form's file."""


@dataclass(frozen=True)
class ZipForm:
    fields: dict[str, str]
    file: UploadFile | None

    async def pieces(self) -> AsyncIterator[bytes]:
        while self.file is not None and (piece := await self.file.read(_PIECE)):
            yield piece


@asynccontextmanager
async def read_zip_form(request: Request, most_bytes: int) -> AsyncIterator[ZipForm]:
    """Of a form with one file in it; larger ones lie on the disk meanwhile.

    Raises FormInvalid, FormNotKept, BodyTooLarge.
    """
    check_length(request, most_bytes + _OVERHEAD)
    stream = _bounded(request, most_bytes + _OVERHEAD)
    try:
        parser = MultiPartParser(request.headers, stream, max_files=1, max_fields=_MOST_FIELDS)
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        raise FormInvalid(f"the form can't be read: {error}") from error
    except OSError as error:
        where = f"the zip could not be kept in {tempfile.gettempdir()} while it came: {error.strerror}"
        raise FormNotKept(f"{where}; make room there, or set TMPDIR to another folder, and send it again") from error
    try:
        files = [held for held in form.values() if isinstance(held, UploadFile)]
        fields = {name: held for name, held in form.items() if isinstance(held, str)}
        yield ZipForm(fields, files[0] if files and files[0].size else None)
    finally:
        await form.close()


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise BodyTooLarge
        yield piece
