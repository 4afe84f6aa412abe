"""MLServer, https://mlserver.readthedocs.io, which speaks the Open Inference Protocol."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.contenders.app import App, free_port
from bench.load.endpoint import Wire
from bench.peers.v2 import pack, unpack


def _command(folder: Path, port: int) -> Sequence[str]:
    ports = {"HTTP_PORT": port, "GRPC_PORT": free_port(), "METRICS_PORT": free_port()}
    settings = [f"MLSERVER_{name}={number}" for name, number in ports.items()]
    return ["/usr/bin/env", *settings, str(folder / "mlserver"), "start", "."]


PEER = App(
    name="mlserver",
    title="MLServer",
    note="a custom runtime, max_batch_size 64, max_batch_time 1 ms, in the server's own process (parallel_workers 0), "
    "httptools, gzip and metrics off",
    wire=Wire("/v2/models/model/infer", pack, unpack),
    command=_command,
    packages=["mlserver", "uvicorn", "httptools", "uvloop", "onnxruntime"],
)
