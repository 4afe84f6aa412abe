"""Pawl as a user runs it: daemon, gateways, workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

from bench.contenders import environments
from bench.contenders.contender import CannotStart
from bench.contenders.models_server import serving_files, wait_ready
from bench.inputs.models import Model
from bench.load.endpoint import Endpoint, NotReady, Wire, dump
from bench.machine.home import ROOT
from bench.peers.common import probabilities
from tests.serving import Server

ETLS = """
import numpy as np


class Classifier:
    def __init__(self, onnx):
        self.model = onnx["model"]

    def transform_predict(self, variables):
        row = np.array([variables["row"]], dtype=np.float32)
        [probabilities] = self.model.run(["probabilities"], {"X": row})
        return {"probabilities": probabilities[0]}
"""


def pack(row: Sequence[float]) -> bytes:
    return dump({"variables": {"row": row}})


WIRE = Wire("/models_serve/Model", pack, probabilities)


@dataclass(frozen=True)
class Pawl:
    """One model in a git repository."""

    etls: str = ETLS
    start_s: float = 60.0
    title: str = "Pawl"
    note: str = "as installed: daemon, one gateway, one worker; etls.py as below"

    def versions(self) -> Mapping[str, str]:
        packages = ["uvicorn", "httptools", "uvloop", "msgspec", "greenlet", "numpy", "onnxruntime-gpu", "onnxruntime"]
        return environments.versions(ROOT / ".venv/bin/python", packages)

    @contextmanager
    def serving(self, model: Model) -> Iterator[Endpoint]:
        """The model on a free port until the context ends. Raises CannotStart."""
        with ExitStack() as stack:
            try:
                server = stack.enter_context(serving_files(files("Model", model, self.etls)))
                endpoint = Endpoint(f"{server.url}{WIRE.path}", WIRE, lambda: counters(server))
                endpoint.wait(model, self.start_s, lambda: server.process.poll() is None)
                wait_ready(server, self.start_s)
            except (NotReady, TimeoutError, AssertionError, httpx.HTTPError) as error:
                raise CannotStart(str(error)) from error
            yield endpoint


def files(name: str, model: Model, etls: str = ETLS) -> dict[str, str | bytes]:
    """The folder `name`, as a user writes it."""
    return {f"{name}/etls.py": etls, f"{name}/model.onnx": model.path.read_bytes()}


def counters(server: Server) -> Mapping[str, float]:
    """The workers' counts, as /metrics tells them."""
    text = server.request("GET", f"{server.url}/metrics").body.decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    names = ("requests", "calls", "rows", "batches")
    return {name: sum(sample.value for sample in families[f"pawl_workers_{name}"].samples) for name in names}


PEER = Pawl()
