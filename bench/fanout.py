"""`scripts/bench all`: one request to twenty models, and to one of them."""

from __future__ import annotations

from typing import Annotated

import typer

from bench import wrk
from bench.models import MODELS
from bench.models_server import Files, endpoint, serving_files, wait_ready
from bench.peers import pawl
from bench.prepare import prepare
from bench.report import Figures, tell
from tests.serving import Server

_WAIT_MS = 20
_WAITING = f"""
import time


class Waiting:
    def transform_predict(self, variables):
        time.sleep({_WAIT_MS / 1000})
        return {{"ok": True}}
"""


def main(
    models: Annotated[int, typer.Option(help="how many there are")] = 20,
    seconds: Annotated[float, typer.Option(help="of each measurement")] = 4.0,
) -> None:
    """What POST /all costs, beside what one model costs."""
    prepare()
    waiting: Files = {f"M{number:02}/etls.py": _WAITING for number in range(models)}
    trees: dict[str, str | bytes] = {}
    for number in range(models):
        trees |= pawl.files(f"M{number:02}", MODELS["trees"])
    figures = {**_measure(f"waits {_WAIT_MS} ms", waiting, seconds), **_measure("trees", trees, seconds)}
    tell("all", {"models": models, **figures})


def _measure(what: str, files: Files, seconds: float) -> Figures:
    with serving_files(files) as server:
        wait_ready(server, 300)
        one, every = (_p50_ms(server, path, seconds) for path in ("/M00", "/all"))
    return {f"{what}: one model, p50 ms": one, f"{what}: all, p50 ms": every, f"{what}: all / one": every / one}


def _p50_ms(server: Server, path: str, seconds: float) -> float:
    body = pawl.pack(MODELS["trees"].rows(1)[0].tolist())
    wrk.load(endpoint(server, path), body, 1, 1)
    load = wrk.load(endpoint(server, path), body, 1, seconds)
    assert not load.errors, load
    return load.p50_us / 1000
