"""By hand, as most do it: FastAPI, with a plain function for a route."""

from bench.contenders.app import App
from bench.load.endpoint import Wire
from bench.peers.common import pack_row, probabilities, uvicorn

PEER = App(
    name="fastapi",
    title="FastAPI by hand",
    note="uvicorn with httptools and uvloop; a `def` route, as its manual advises for what blocks, and a pydantic "
    "body; no batching",
    wire=Wire("/predict", pack_row, probabilities),
    command=uvicorn,
    packages=["fastapi", "uvicorn", "pydantic", "onnxruntime"],
)
