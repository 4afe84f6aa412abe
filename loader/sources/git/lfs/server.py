"""The server of Git LFS over http and https.

https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

import msgspec

from core.errors import ReleaseFailed
from loader.files.lfs_pointers import Pointer, failed
from loader.sources.git.lfs.http_client import Request, Unanswered, Web

Put = Callable[[Pointer], AbstractContextManager[Callable[[bytes], object]]]
"""A place for a file: what it gives is called with each piece, and the end of the context is the file's."""


class LfsServer:
    """Downloads large files from the LFS API at `url`."""

    def __init__(self, web: Web, url: str) -> None:
        self._web = web
        self._url = url

    async def download(self, pointers: Sequence[Pointer], put: Put) -> None:
        """Put each file in its place. Raises ReleaseFailed."""
        for first in range(0, len(pointers), _BATCH):
            batch = pointers[first : first + _BATCH]
            found = await self._ask(batch)
            for pointer in batch:
                await self._fetch(pointer, _action(pointer, found.get(pointer.oid)), put)

    async def _ask(self, pointers: Sequence[Pointer]) -> Mapping[str, _Object]:
        """What the server says of each object, by its hash."""
        body = {
            "operation": "download",
            "transfers": ["basic"],
            "hash_algo": "sha256",
            "objects": [{"oid": pointer.oid, "size": pointer.size} for pointer in pointers],
        }
        headers = {"Accept": _MEDIA_TYPE, "Content-Type": _MEDIA_TYPE}
        request = Request(f"{self._url}/objects/batch", headers, content=msgspec.json.encode(body))
        try:
            async with asyncio.timeout(_ANSWER_S):
                answer = await self._web.whole(request, _LONGEST_ANSWER)
            return {one.oid: one for one in msgspec.json.decode(answer, type=_Answer).objects}
        except TimeoutError as error:
            raise _failure(pointers[0], f"the server did not answer within {_ANSWER_S:g} s") from error
        except (Unanswered, msgspec.DecodeError, RecursionError) as error:
            raise _failure(pointers[0], str(error)) from error

    async def _fetch(self, pointer: Pointer, action: _Download, put: Put) -> None:
        try:
            with put(pointer) as write:
                async with self._web.answer(Request(action.href, own=action.header or {})) as pieces:
                    async for piece in pieces:
                        write(piece)
        except Unanswered as error:
            raise _failure(pointer, str(error)) from error


_MEDIA_TYPE = "application/vnd.git-lfs+json"
_BATCH = 100
_ANSWER_S = 60.0
_LONGEST_ANSWER = 4 << 20


class _Download(msgspec.Struct):
    href: str
    header: dict[str, str] | None = None


class _Actions(msgspec.Struct):
    download: _Download | None = None


class _Error(msgspec.Struct):
    message: str = ""


class _Object(msgspec.Struct):
    oid: str
    actions: _Actions | None = None
    error: _Error | None = None


class _Answer(msgspec.Struct):
    objects: list[_Object]


def _action(pointer: Pointer, found: _Object | None) -> _Download:
    action = found.actions.download if found and found.actions else None
    if action is None or not action.href.lower().startswith(("https://", "http://")):
        said = found.error.message[:200] if found and found.error else ""
        message = f"is not in Git LFS on the server ({said or 'no way to download it was given'}); git lfs push it"
        raise failed(pointer, message)
    return action


def _failure(pointer: Pointer, why: str) -> ReleaseFailed:
    return failed(pointer, f"could not be fetched from Git LFS ({why}); check that the login may read it there")
