"""By hand, and fast: an ASGI application that calls the session in the event loop."""

from bench.contenders.app import App
from bench.load.endpoint import Wire
from bench.peers.common import pack_row, probabilities, uvicorn

PEER = App(
    name="inline",
    title="bare ASGI app, session called inline",
    note="uvicorn with httptools and uvloop, msgspec for JSON; no batching",
    wire=Wire("/", pack_row, probabilities),
    command=uvicorn,
    packages=["uvicorn", "msgspec", "onnxruntime-gpu"],
)
