"""How a worker is spoken to.

Two channels. *Frames* carry requests and answers between a gateway and a worker on a Unix stream socket. *Control
messages*, JSON lines on a socket pair that the worker inherits, carry everything else between it and the daemon.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Any, Literal

import msgspec


class Kind(IntEnum):
    """What a frame is."""

    REQUEST = 1
    """Gateway to worker: `body` is the HTTP request's body, `deadline_ns` when its caller stops waiting."""
    ANSWER = 2
    """Worker to gateway: `body` is JSON, `status` the HTTP status."""
    CANCEL = 3
    """Gateway to worker: the caller of that request has gone."""


Frame = tuple[int, int, int, int, bytes]
"""Id, deadline, status, kind and body. A plain tuple, for a class takes longer to make than the frame to be read.

The id is chosen by the gateway, unique among what is outstanding on the connection, and has 32 bits. The deadline is
a request's, in `time.monotonic_ns()` (one clock for all processes of a machine), and the status an answer's; 0 in all
other frames.
"""


MAX_ANSWER = 256 * 2**20
"""Bytes of the largest answer: what a gateway takes from a worker. A worker sends an error in place of a larger one."""

_HEADER = struct.Struct("<IIqHB")
"""Length of the body, id, deadline, status, kind."""

HEADER_SIZE = _HEADER.size
pack_header, _unpack_header = _HEADER.pack, _HEADER.unpack_from
"""Names of their own, for they are looked up for every frame."""


class FrameError(Exception):
    """The other side sent what is no frame; the connection can't go on."""


def pack_frame(kind: Kind, id: int, body: bytes = b"", *, status: int = 0, deadline_ns: int = 0) -> bytes:
    return pack_header(len(body), id, deadline_ns, status, kind) + body


class FrameReader:
    """Cuts a stream of bytes into frames. A body is copied once, when it is whole."""

    def __init__(self, max_body: int) -> None:
        """`max_body`: bytes; a longer frame is a FrameError."""
        self._max_body = max_body
        self._rest = b""
        """The beginning of a header."""
        self._begun: tuple[int, int, int, int] | None = None
        """A frame whose body is coming."""
        self._pieces: list[bytes] = []
        self.missing = 0
        """Bytes of that body that are still to come."""

    def feed(self, data: bytes) -> list[Frame]:
        """Take in what was received; the frames that are now whole. Raises FrameError."""
        start = 0
        frames = []
        if self._begun is not None:
            if len(data) < self.missing:
                self._pieces.append(data)
                self.missing -= len(data)
                return []
            start = self.missing
            frames.append(self._finish(data[:start]))
        elif self._rest:
            data = self._rest + data
        have = len(data)
        while have - start >= HEADER_SIZE:
            length, id, deadline_ns, status, kind = _unpack_header(data, start)
            if length > self._max_body:
                raise FrameError(f"a frame of {length} bytes; at most {self._max_body} are taken")
            start += HEADER_SIZE
            end = start + length
            if have < end:
                self._begun = id, deadline_ns, status, kind
                self._pieces, self.missing = [data[start:]], end - have
                start = have
                break
            frames.append((id, deadline_ns, status, kind, data[start:end]))
            start = end
        self._rest = data[start:]
        return frames

    def _finish(self, last: bytes) -> Frame:
        assert self._begun is not None
        frame = (*self._begun, b"".join((*self._pieces, last)))
        self._begun, self._pieces, self.missing = None, [], 0
        return frame


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

    takes: Literal["nothing", "dict", "dataframe", "typed", "onnx"]
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


FromWorker = Ready | Failed | Raised | Noticed


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
