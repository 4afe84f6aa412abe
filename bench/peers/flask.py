"""The way this kind of server began: Flask, a DataFrame for each request, gunicorn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.contenders.app import App
from bench.load.endpoint import Wire, dump
from bench.peers.common import probabilities


def _command(folder: Path, port: int) -> Sequence[str]:
    options = ["--workers", "1", "--threads", "8", "--log-level", "warning"]
    return [str(folder / "gunicorn"), *options, "--bind", f"127.0.0.1:{port}", "server:app"]


def _pack(row: Sequence[float]) -> bytes:
    return dump({"variables": {f"x{number}": value for number, value in enumerate(row)}})


PEER = App(
    name="flask",
    title="Flask, pandas, gunicorn",
    note="one gunicorn worker with 8 threads; a DataFrame by json_normalize for each request; no batching",
    wire=Wire("/predict", _pack, probabilities),
    command=_command,
    packages=["flask", "gunicorn", "pandas", "onnxruntime"],
)
