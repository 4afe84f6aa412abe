"""BentoML, https://docs.bentoml.com."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.contenders.app import App
from bench.load.endpoint import Wire, dump


def _command(folder: Path, port: int) -> Sequence[str]:
    return [str(folder / "bentoml"), "serve", "server:Model", "--port", str(port)]


def _pack(row: Sequence[float]) -> bytes:
    return dump({"rows": [row]})


def _unpack(answer: Any) -> Sequence[float]:
    first: Sequence[float] = answer[0]
    return first


PEER = App(
    name="bentoml",
    title="BentoML",
    note="batchable, max_batch_size 64, max_latency_ms 1000, two workers, uvloop and httptools, metrics and access "
    "log off",
    wire=Wire("/predict", _pack, _unpack),
    command=_command,
    packages=["bentoml", "uvicorn", "httptools", "uvloop", "onnxruntime"],
    environ={"BENTOML_DO_NOT_TRACK": "True"},
)
