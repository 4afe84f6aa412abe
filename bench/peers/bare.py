"""The limit of HTTP in Python: an application that does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.contenders.app import App
from bench.inputs.models import Model
from bench.load.endpoint import Endpoint, Wire
from bench.peers.common import pack_row, probabilities, uvicorn


@dataclass(frozen=True)
class Bare(App):
    """Its answers are a constant, and not compared with anything."""

    @contextmanager
    def serving(self, model: Model) -> Iterator[Endpoint]:
        with super().serving(model) as endpoint:
            yield _Unchecked(**vars(endpoint))


class _Unchecked(Endpoint):
    def check(self, model: Model) -> None:
        pass


PEER = Bare(
    name="bare",
    title="bare ASGI app (does nothing)",
    note="uvicorn with httptools and uvloop; reads the body and answers a constant",
    wire=Wire("/", pack_row, probabilities),
    command=uvicorn,
    packages=["uvicorn", "httptools", "uvloop"],
)
