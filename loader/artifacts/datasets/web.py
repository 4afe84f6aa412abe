"""Datasets at https addresses."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import unquote, urlsplit

import httpx

from loader.artifacts.datasets.source import CHANGED, LOOK_S, DatasetFailure, DatasetState, Fetched, Room
from loader.artifacts.manifest import is_plain

T = TypeVar("T")


class WebDataset:
    """A file behind a URL. `timeout_s`: in which all of it must have come, redirects included."""

    def __init__(self, address: str, timeout_s: float, context: ssl.SSLContext | None = None) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._context = context
        self._failure = DatasetFailure(address)

    def state(self) -> DatasetState:
        """By the head of the answer to a GET: signed addresses often refuse a HEAD."""
        return self._run(self._state, min(self._timeout_s, LOOK_S))

    def download(self, into: Path, room: Room) -> Fetched:
        return self._run(lambda: self._download(into, room), self._timeout_s)

    async def _state(self) -> DatasetState:
        async with self._answer() as answer:
            return _state(answer)

    async def _download(self, into: Path, room: Room) -> Fetched:
        name = _name(self._address)
        async with self._answer() as answer:
            state = _state(answer)
            with (into / name).open("xb") as file:
                await self._write(answer, file, state.size or 0, room)
        if state.version and await self._state() != state:
            raise self._failure.for_now(CHANGED)
        return Fetched(state, name)

    async def _write(self, answer: httpx.Response, file: BinaryIO, expected: int, room: Room) -> None:
        size = 0
        room(expected)
        async for piece in answer.aiter_bytes(_PIECE):  # as the server holds it, whatever it is packed in on its way
            size += len(piece)
            room(max(size, expected))
            await asyncio.to_thread(file.write, piece)

    @asynccontextmanager
    async def _answer(self) -> AsyncIterator[httpx.Response]:
        timeout = httpx.Timeout(_SILENCE_S, connect=_CONNECT_S)
        async with httpx.AsyncClient(verify=self._context or True, timeout=timeout) as client:
            request: httpx.Request | None = client.build_request(
                "GET", self._address, headers={"Accept-Encoding": "identity"}
            )
            for _ in range(_MOST_REDIRECTS + 1):
                assert request is not None
                if request.url.scheme != "https":
                    raise self._failure.never(
                        "redirects to an address without https, where anybody may change what comes; name another"
                    )
                answer = await client.send(request, stream=True)
                try:
                    if not answer.is_redirect:
                        self._check(answer)
                        yield answer
                        return
                finally:
                    await answer.aclose()
                request = answer.next_request
            raise self._failure.never("redirects without end; name the address where the file is")

    def _check(self, answer: httpx.Response) -> None:
        status = f"{answer.status_code} {answer.reason_phrase}".strip()
        if answer.is_success and answer.status_code == httpx.codes.OK:
            return
        if answer.status_code in (401, 403):
            raise self._failure.never(
                f"may not be read ({status}); see to its permissions, or to the address in model.yaml"
            )
        if answer.status_code in (404, 410):
            raise self._failure.never(f"is not there ({status}); see to the address in model.yaml")
        if answer.status_code in (408, 425, 429) or answer.is_server_error:
            raise self._failure.for_now(f"is not to be had now ({status}); see to the server if that lasts")
        raise self._failure.never(f"is answered by {status}; see to the address in model.yaml")

    def _run(self, work: Callable[[], Coroutine[Any, Any, T]], seconds: float) -> T:
        try:
            return asyncio.run(_in_time(work, seconds))
        except TimeoutError as error:
            what = f"did not come in {seconds:,.0f} s; see to the server, or raise DATASET_TIMEOUT_S"
            raise self._failure.for_now(what) from error
        except (httpx.InvalidURL, ValueError) as error:
            raise self._failure.never(f"is not a valid address: {error}; correct it in model.yaml") from error
        except (httpx.HTTPError, ssl.SSLError) as error:
            what = str(error) or type(error).__name__
            raise self._failure.for_now(f"could not be read: {what}; see to the server and the network") from error


_MOST_REDIRECTS = 5
_PIECE = 1 << 20
_CONNECT_S = 20.0
_SILENCE_S = 60.0


async def _in_time(work: Callable[[], Coroutine[Any, Any, T]], seconds: float) -> T:
    async with asyncio.timeout(seconds):
        return await work()


def _state(answer: httpx.Response) -> DatasetState:
    headers = answer.headers
    length = headers.get("Content-Length", "")
    return DatasetState(
        headers.get("ETag") or headers.get("Last-Modified") or "", int(length) if length.isdigit() else None
    )


def _name(address: str) -> str:
    """The file keeps its name: readers go by how it ends."""
    name = unquote(urlsplit(address).path).rpartition("/")[2]
    return name if is_plain(name) else "dataset"
