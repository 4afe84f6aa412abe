"""A stream of events (text/event-stream), taken up again where it broke off."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping

from pawl.client.api import Api, Query
from pawl.exits import UNREACHABLE, CommandFailed

_PAUSE_S = 1.0


def follow(api: Api, path: str, last_id: str, query: Mapping[str, Query]) -> Iterator[str]:
    """The data of each event, for ever; those after `last_id`. A server that restarts is waited for."""
    has_begun = False
    while True:
        try:
            with api.stream(path, query, {"Last-Event-ID": last_id} if last_id else {}) as (_, pieces):
                has_begun = True
                for id, data in parse(pieces):
                    last_id = id or last_id
                    yield data
        except CommandFailed as failed:
            if not has_begun or failed.code != UNREACHABLE:
                raise
        time.sleep(_PAUSE_S)


def parse(pieces: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Id and data of each event that is whole."""
    id, data = "", list[str]()
    for line in _lines(pieces):
        name, _, value = line.partition(":")
        if name == "id":
            id = value.removeprefix(" ")
        elif name == "data":
            data.append(value.removeprefix(" "))
        elif not line and data:
            yield id, "\n".join(data)
            data = []


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line.removesuffix(b"\r").decode("utf-8", "replace") for line in lines)
