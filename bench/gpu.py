"""`scripts/bench gpu`: models on a GPU, through Pawl and through ONNX Runtime alone with the same batch."""

from __future__ import annotations

import base64
import json
import math
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import numpy as np
import onnxruntime
import typer

from bench.contenders.models_server import serving_files
from bench.figures import figures_file
from bench.inputs.images import IMAGES
from bench.inputs.models import MODELS, Model, Rows
from bench.load import closed, wrk
from bench.load.endpoint import Endpoint, NotReady, Wire, WrongAnswer, dump
from bench.machine import processes
from bench.machine.screen import console
from bench.peers.common import probabilities
from bench.peers.pawl import ETLS, counters, pack
from core.process.resources import onnx_threads, processors
from tests.serving import Server
from worker.onnx.open_file import open_file
from worker.onnx.provider import CPU, CUDA, number_of
from worker.wire.messages import WorkerConfig

IMAGE_ETLS = """
import base64

import numpy as np


class Classifier:
    def __init__(self, onnx):
        self.model = onnx["model"]

    def transform_predict(self, variables):
        pixels = np.frombuffer(base64.b64decode(variables["image"]), np.uint8)
        row = pixels.astype(np.float32)[None] / 255
        [probabilities] = self.model.run(["probabilities"], {"X": row})
        return {"probabilities": probabilities[0]}
"""


def _pack_image(row: Sequence[float]) -> bytes:
    pixels = np.rint(np.array(row) * 255).astype(np.uint8)
    return dump({"variables": {"image": base64.b64encode(pixels.tobytes()).decode()}})


@dataclass(frozen=True)
class Scene:
    """A model and how it is asked."""

    model: Model
    etls: str
    pack: Callable[[Sequence[float]], bytes]


SCENES = (Scene(MODELS["network"], ETLS, pack), Scene(IMAGES, IMAGE_ETLS, _pack_image))
_ROUTE = "/models_serve/Model"
_START_S = 300.0
_BATCHES = (1, 8, 32, 64)
ALONE_S = 2.0
_TOLERANCE = 1e-2
"""A GPU multiplies float32 with the ten bits of TF32."""


@dataclass(frozen=True)
class Sample:
    """Pawl at one number of connections."""

    connections: int
    rate: float
    """Good answers a second."""
    p50_ms: float
    p99_ms: float
    errors: int
    batch: float
    """Mean rows of a batch."""
    cpu_s: Mapping[str, float]
    """CPU seconds per 1,000 requests, by role."""
    alone: float = 0.0
    """Rows a second of ONNX Runtime alone, with batches of so many rows."""


@dataclass(frozen=True)
class Plan:
    """What one run measures, and how Pawl is set."""

    device: str
    connections: Sequence[int]
    seconds: float
    gateways: int
    replicas: int
    max_batch: int


def main(
    device: Annotated[
        str, typer.Option(help="cuda, cuda:N; cpu tries the bench itself, and is not published")
    ] = "cuda",
    model: Annotated[str, typer.Option(help="network, images; both if empty")] = "",
    connections: Annotated[str, typer.Option(help="numbers of connections")] = "1,8,32,128",
    seconds: Annotated[float, typer.Option(help="of each measurement")] = 5.0,
    gateways: Annotated[int, typer.Option(help="Pawl's GATEWAYS")] = 1,
    replicas: Annotated[int, typer.Option(help="workers, which share the GPU")] = 1,
    max_batch: Annotated[int, typer.Option(help="serve.max_batch")] = 64,
) -> None:
    """Throughput beside ONNX Runtime alone with the same batch, and latency over load, on a GPU."""
    processes.adopt()
    plan = Plan(device, [int(each) for each in connections.split(",")], seconds, gateways, replicas, max_batch)
    scenes = [scene for scene in SCENES if model in ("", scene.model.name)]
    models = {scene.model.name: _measure(scene, plan) for scene in scenes}
    on_gpu = all(found["provider"] == CUDA for found in models.values())
    about = {"plan": asdict(plan), "load": _generator(), "gpu": _gpu(), "onnxruntime": onnxruntime.__version__}
    path = figures_file.write("gpu" if on_gpu else "smoke-gpu", {**about, "models": models})
    console.print(f"written to {path}" + ("" if on_gpu else ", which is not published: it ran on no GPU"))


def _measure(scene: Scene, plan: Plan) -> Mapping[str, Any]:
    with _serving(scene, plan) as (server, endpoint, ready_s):
        _check(scene, endpoint)
        samples = [_sample(scene, endpoint, count, plan.seconds) for count in plan.connections]
        provider = _provider(server)
    alone = _Alone(scene.model, plan)  # only now, when it has the GPU to itself
    samples = [replace(each, alone=alone.rate(math.ceil(each.batch))) for each in samples]
    for each in samples:
        console.print(f"{scene.model.name}, {provider}: {_line(each)}")
    return {
        "title": scene.model.title,
        "provider": provider,
        "ready_s": ready_s,
        "samples": [asdict(each) for each in samples],
        "alone": {str(batch): alone.rate(batch) for batch in _BATCHES},
    }


@contextmanager
def _serving(scene: Scene, plan: Plan) -> Iterator[tuple[Server, Endpoint, float]]:
    """Pawl with the model, and the seconds until it answered."""
    manifest = f"serve: {{replicas: {plan.replicas}, max_batch: {plan.max_batch}}}\n"
    files: dict[str, str | bytes] = {"etls.py": scene.etls, "model.yaml": manifest}
    files["model.onnx"] = scene.model.path.read_bytes()
    settings = {"DEVICE": plan.device, "GATEWAYS": str(plan.gateways)}
    began = time.monotonic()
    with serving_files({f"Model/{name}": content for name, content in files.items()}, **settings) as server:
        wire = Wire(_ROUTE, scene.pack, probabilities)
        endpoint = Endpoint(f"{server.url}{_ROUTE}", wire, lambda: counters(server))
        try:
            endpoint.wait(
                scene.model, _START_S, lambda: server.process.poll() is None and "v1 failed" not in server.log
            )
        except NotReady as error:
            console.print(f"[red]{error}[/red]\n" + "\n".join(server.lines[-5:]), markup=True)
            raise typer.Exit(1) from error
        yield server, endpoint, time.monotonic() - began


def _check(scene: Scene, endpoint: Endpoint) -> None:
    """Hold answers of merged calls to ONNX Runtime's on a CPU. Raises WrongAnswer."""
    rows = scene.model.rows(32)
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda row: endpoint.ask(scene.pack(row)), rows.tolist()))
    for (status, body), right in zip(answers, scene.model.answers(rows), strict=True):
        if status != 200 or not np.allclose(probabilities(json.loads(body)), right, atol=_TOLERANCE):
            raise WrongAnswer(f"{status} {body[:300]!r} instead of {right.tolist()}")


def _sample(scene: Scene, endpoint: Endpoint, connections: int, seconds: float) -> Sample:
    load, body = load_generator(), scene.pack(scene.model.rows(1)[0].tolist())
    load(endpoint, body, connections, max(1.0, seconds / 4))
    cpu, before = processes.cpu(), endpoint.counters()
    seen = load(endpoint, body, connections, seconds)
    used, counted = processes.difference(cpu, processes.cpu()), processes.difference(before, endpoint.counters())
    return Sample(
        connections,
        seen.rate,
        seen.p50_us / 1000,
        seen.p99_us / 1000,
        seen.errors,
        counted["rows"] / max(1.0, counted["batches"]),
        {role: 1000 * spent / max(1, seen.requests) for role, spent in used.items() if spent},
    )


def load_generator() -> Callable[[Endpoint, bytes, int, float], wrk.Load]:
    return wrk.load if shutil.which("wrk") else closed.load


def _generator() -> str:
    return f"wrk {wrk.version()}" if shutil.which("wrk") else "a closed loop in Python"


def _provider(server: Server) -> str:
    """Where the model's session really runs."""
    [session] = server.state("Model")["live"]["description"]["sessions"]
    return str(session["provider"])


class _Alone:
    """ONNX Runtime without Pawl: with its own defaults but for the number of threads, and with a worker's options."""

    def __init__(self, model: Model, plan: Plan) -> None:
        nowhere: Any = {"folder": "/", "root": "/", "socket": "", "max_body": 1}
        threads = onnx_threads(processors(), plan.replicas)
        config = WorkerConfig(model=model.name, device=plan.device, cpus=threads, **nowhere)
        ours = open_file(model.path, config, console.print).session
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        on_gpu = ours.get_providers()[0] == CUDA
        providers = [(CUDA, {"device_id": number_of(plan.device)})] if on_gpu else [CPU]
        plain = onnxruntime.InferenceSession(str(model.path), options, providers=providers)
        self._model = model
        self._sessions = (ours, plain)

    def rate(self, batch: int) -> float:
        """Rows a second of the quicker one, called with numpy arrays of so many rows, as a program would."""
        return max(_rate(session, self._model.rows(batch)) for session in self._sessions)


def _rate(session: Any, rows: Rows) -> float:
    runs = 0
    for _ in range(3):  # a GPU plans anew for each shape
        session.run(["probabilities"], {"X": rows})
    began = time.perf_counter()
    while time.perf_counter() - began < ALONE_S:
        session.run(["probabilities"], {"X": rows})
        runs += 1
    return runs * len(rows) / (time.perf_counter() - began)


def _gpu() -> str:
    """Its name, driver and memory; empty without one."""
    if shutil.which("nvidia-smi") is None:
        return ""
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip()


def _line(one: Sample) -> str:
    told = f"{one.connections} connections: {one.rate:,.0f}/s, p50 {one.p50_ms:.2f} ms, p99 {one.p99_ms:.2f} ms"
    return f"{told}, batch {one.batch:.1f}, {one.rate / one.alone:.2f} of ONNX Runtime alone, {one.errors} errors"
