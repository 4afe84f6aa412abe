"""Pawl as a user runs it: daemon, one gateway, one worker, nothing set."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from bench import environments, processes
from bench.contender import CannotStart
from bench.endpoint import Endpoint, Wire, dump
from bench.home import ROOT
from bench.models import Model
from bench.peers.common import probabilities
from tests.repos import Repo
from tests.serving import Server, serving

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


class Pawl:
    """One model in a git repository."""

    title = "Pawl"
    note = "as installed: daemon, one gateway, one worker; etls.py as below"

    def versions(self) -> Mapping[str, str]:
        packages = ["uvicorn", "httptools", "uvloop", "msgspec", "greenlet", "numpy", "onnxruntime-gpu", "onnxruntime"]
        return environments.versions(ROOT / ".venv/bin/python", packages)

    @contextmanager
    def serving(self, model: Model) -> Iterator[Endpoint]:
        """The model on a free port until the context ends. Raises CannotStart."""
        with tempfile.TemporaryDirectory(prefix="pawl-bench-") as folder, _started(Path(folder), model) as server:
            yield Endpoint(f"{server.url}{WIRE.path}", WIRE, lambda: counters(server))


@contextmanager
def _started(folder: Path, model: Model) -> Iterator[Server]:
    repo = Repo(folder / "models")
    repo.write("Model/etls.py", ETLS).write("Model/model.onnx", model.path.read_bytes()).commit()
    try:
        with serving(folder / "data", repo.path, SYNC_SECONDS="30") as server:
            yield server
    except AssertionError as error:  # the tests' server says it so
        raise CannotStart(str(error).splitlines()[0]) from error
    finally:
        processes.end_all()


def counters(server: Server) -> Mapping[str, float]:
    """The workers' counts, as /metrics tells them."""
    text = server.request("GET", f"{server.url}/metrics").body.decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    names = ("requests", "calls", "rows", "batches")
    return {name: sum(sample.value for sample in families[f"pawl_workers_{name}"].samples) for name in names}


PEER = Pawl()
