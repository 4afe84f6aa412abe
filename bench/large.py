"""`scripts/bench large`: bodies of a megabyte."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from typing import Annotated

import numpy as np
import typer

from bench import processes, wrk
from bench.endpoint import Endpoint, dump
from bench.models import MODELS
from bench.models_server import endpoint, serving_files, wait_ready
from bench.peers import bare
from bench.prepare import prepare
from bench.report import Figures, tell

_FILES = {
    "Numbers/etls.py": """
import numpy as np


class Numbers:
    def transform_predict(self, variables):
        return {"sum": np.array(variables["numbers"], dtype=np.float32).sum()}
""",
    "Image/etls.py": """
import base64


class Image:
    def transform_predict(self, variables):
        return {"bytes": len(base64.b64decode(variables["image"]))}
""",
}
_CONNECTIONS = 8


def main(seconds: Annotated[float, typer.Option(help="of each measurement")] = 4.0) -> None:
    """A JSON array and a base64 image of a megabyte, through Pawl and to an app that only reads them."""
    prepare()
    figures: dict[str, float] = {}
    with serving_files(_FILES) as server:
        wait_ready(server, 60)
        for name, body in _bodies().items():
            figures |= _measure(f"{name}, Pawl", endpoint(server, f"/{name}"), body, seconds)
    with bare.PEER.serving(MODELS["trees"]) as app:
        figures |= _measure("read only, bare app", app, _bodies()["Numbers"], seconds)
    tell("large", figures)


def _bodies() -> Mapping[str, bytes]:
    """Each a little over a megabyte."""
    numbers = np.random.default_rng(3).random(116_000).round(6).tolist()
    image = base64.b64encode(os.urandom(786_432)).decode()
    return {
        "Numbers": dump({"variables": {"numbers": numbers}}),
        "Image": dump({"variables": {"image": image}}),
    }


def _measure(what: str, target: Endpoint, body: bytes, seconds: float) -> Figures:
    wrk.load(target, body, _CONNECTIONS, 1)
    before = processes.cpu()
    load = wrk.load(target, body, _CONNECTIONS, seconds)
    used = processes.difference(before, processes.cpu())
    assert not load.errors, load
    spent = {f"{what}: {role} CPU ms/request": 1000 * s / load.requests for role, s in used.items() if s > 0.05}
    figures = {
        f"{what}: requests/s": load.rate,
        f"{what}: MB/s": load.rate * len(body) / 1e6,
        f"{what}: p50 ms": load.p50_us / 1000,
        f"{what}: memory MB": processes.memory_mb(),
    }
    return figures | spent
