"""Ray Serve, https://docs.ray.io/en/latest/serve."""

from bench.contenders.app import App
from bench.load.endpoint import Wire
from bench.peers.common import pack_row, probabilities, server

PEER = App(
    name="ray",
    title="Ray Serve",
    note="its high-throughput mode: HAProxy in front (RAY_SERVE_ENABLE_HA_PROXY) and RAY_SERVE_THROUGHPUT_OPTIMIZED; "
    "serve.batch with max_batch_size 64 and batch_wait_timeout 1 ms, one replica, max_ongoing_requests 1024, "
    "access log and dashboard off",
    wire=Wire("/", pack_row, probabilities),
    command=server,
    packages=["ray", "uvicorn", "onnxruntime"],
    environ={
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
    },
)
