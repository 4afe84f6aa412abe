"""NVIDIA Triton, as the package nvidia-pytriton brings it, https://triton-inference-server.github.io/pytriton."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bench.contenders.app import App
from bench.inputs.models import Model
from bench.load.endpoint import Endpoint, Wire
from bench.peers.common import server
from bench.peers.v2 import binary_head, pack, pack_binary, unpack

_PATH = "/v2/models/model/infer"


@dataclass(frozen=True)
class Binary(App):
    """A header says where the JSON ends; the rest of a body is the numbers. The answer comes as JSON."""

    @contextmanager
    def serving(self, model: Model) -> Iterator[Endpoint]:
        headers = {"Inference-Header-Content-Length": str(len(binary_head(model.width)))}
        wire = replace(self.wire, headers=headers)
        with App.serving(replace(self, wire=wire), model) as endpoint:
            yield endpoint


PEER = App(
    name="triton",
    title="Triton (pytriton), JSON",
    note="dynamic batching, max_batch_size 64, no queue delay, ONNX Runtime in its model process, gRPC and metrics off",
    wire=Wire(_PATH, pack, unpack),
    command=server,
    packages=["nvidia-pytriton", "onnxruntime"],
    python="/usr/bin/python3.11",
)
BINARY = Binary(
    name="triton",
    title="Triton (pytriton), binary",
    note="the same, with its extension for binary request bodies",
    wire=Wire(_PATH, pack_binary, unpack, "application/octet-stream"),
    command=server,
    packages=["nvidia-pytriton", "onnxruntime"],
    python="/usr/bin/python3.11",
)
