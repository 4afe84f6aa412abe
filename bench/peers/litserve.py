"""LitServe, https://lightning.ai/docs/litserve."""

from bench.contenders.app import App
from bench.load.endpoint import Wire
from bench.peers.common import pack_row, probabilities, server

PEER = App(
    name="litserve",
    title="LitServe",
    note="max_batch_size 64, batch_timeout 1 ms, fast_queue, two API servers, one worker",
    wire=Wire("/predict", pack_row, probabilities),
    command=server,
    packages=["litserve", "uvicorn", "onnxruntime"],
)
