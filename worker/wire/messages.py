"""Control messages: what a worker and the daemon say to each other, as JSON lines on a socket pair."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from .spans import Traced

MAX_VARIABLES = 1000
"""Variables in one list request."""


class WorkerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """All that a worker needs to know: the first control message it gets. Children read no settings of ours."""

    model: str
    folder: str
    """The model's folder, absolute, ending in "/": the working directory, first on `sys.path`."""
    root: str
    """The release's folder: the model's folder and those it uses lie in it; second on `sys.path`."""
    socket: str
    """Path of the Unix socket to listen on once ready."""
    max_body: int
    """Bytes of the largest body."""
    metadata: dict[str, Any] = {}
    threads: int = 0
    concurrent: bool | None = None
    max_batch: int = 64
    variables: Literal["dict", "dataframe"] = "dict"
    device: str = "auto"
    gpu_memory_mb: int | None = None
    """What each session may take of a GPU's memory; None: no limit."""
    cpus: int = 1
    """Threads that ONNX Runtime may use for one call."""
    artifact: str | None = None
    """The folder in which the files of the release's artifact lie, that of the model; None: it has no artifact."""
    train_entry: str | None = None
    """The name of what trains the model, where it may serve itself; None: found."""
    model_params: dict[str, Any] = {}
    """What such a class is constructed with."""
    traces: bool = False
    """Whether batches of traced requests are traced too."""


class Merging(msgspec.Struct, frozen=True, kw_only=True):
    """Whether calls of one ONNX file are merged, and why or why not, in words."""

    session: str
    """The file's stem."""
    merged: bool
    why: str
    provider: str
    """The execution provider that really runs, e.g. `CPUExecutionProvider`."""
    nodes: dict[str, int] = {}
    """How many of the graph's nodes each provider runs, where a GPU was to: what it can't run is left to the CPU."""

    @property
    def runs(self) -> str:
        """Where it runs, in words."""
        others = sum(self.nodes.values()) - self.nodes.get(self.provider, 0)
        share = f" (all but {others} of its {sum(self.nodes.values())} nodes)" if others > 0 else ""
        return f"{self.session}.onnx on {self.provider}{share}"


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker found out about its model while loading it."""

    takes: Literal["nothing", "dict", "dataframe", "typed", "bytes", "onnx"]
    """How variables come to the method."""
    concurrent: bool
    """Whether requests interleave at ONNX calls."""
    why: str
    """Why, or why not, in words."""
    threads: int = 0
    doc: str = ""
    """The class's docstring."""
    variables_schema: dict[str, Any] | None = None
    """JSON Schema (2020-12) of `variables`, references under `#/$defs/`, where the annotation gives one."""
    answer_schema: dict[str, Any] | None = None
    """The same of the answer."""
    sessions: tuple[Merging, ...] = ()
    python: str = ""
    load_s: float = 0.0


class Ready(msgspec.Struct, frozen=True, tag=True):
    """Loaded, warmed up and listening."""

    description: Description


class Failed(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The folder can't be served; the worker exits after saying so."""

    message: str
    """What happened, in which file and line, and what to do."""
    traceback: str = ""
    heals: bool = False
    """Whether another try could go better (a constructor that downloads something could)."""


class Raised(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A request failed in the author's code: what its caller is not told."""

    error_id: str
    message: str
    traceback: str


class Noticed(msgspec.Struct, frozen=True, tag=True):
    """Something that the model's author should read in the log."""

    message: str


FromWorker = Ready | Failed | Raised | Noticed | Traced


class Drain(msgspec.Struct, frozen=True, tag=True):
    """Take no new connection, answer what is there, exit once every gateway has closed its connection."""

    some_hang: bool = False
    """Whether requests that nobody waits for any more will never be finished, so that they aren't waited for."""


def encode_message(message: msgspec.Struct) -> bytes:
    """One control message as a line."""
    return msgspec.json.encode(message) + b"\n"


decode_from_worker = msgspec.json.Decoder(FromWorker).decode
decode_config = msgspec.json.Decoder(WorkerConfig).decode
decode_to_worker = msgspec.json.Decoder(Drain).decode
