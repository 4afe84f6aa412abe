"""Frames: how requests and answers go between a gateway and a worker, on a Unix stream socket."""

from __future__ import annotations

import struct
from enum import IntEnum


class Kind(IntEnum):
    """What a frame is."""

    REQUEST = 1
    """Gateway to worker: `body` is the HTTP request's body, `detail` the `Format` that it is in, `deadline_ns` when its
    caller stops waiting."""
    ANSWER = 2
    """Worker to gateway: `body` is in the request's format, `detail` the HTTP status, `deadline_ns` when the worker
    began with it."""
    CANCEL = 3
    """Gateway to worker: the caller of that request has gone."""


class Format(IntEnum):
    """How the body of a request is written, and that of its answer."""

    PAWL_JSON = 0
    """`{"variables": …}`, answered with the JSON of what the method returned. Empty: no variables."""


Frame = tuple[int, int, int, int, bytes]
"""Id, deadline, detail, kind and body. A plain tuple, for a class takes longer to make than the frame to be read.

The id is chosen by the gateway, unique among what is outstanding on the connection, and has 32 bits. The deadline is
a request's, in `time.monotonic_ns()` (one clock for all processes of a machine); in an answer it is the moment at which
the worker began with the request, so that a gateway knows how long that waited. The detail is a request's format or
an answer's status: one field for both, because each byte of a header is packed and read for every frame. What a frame
has no use for is 0.
"""


MAX_ANSWER = 256 * 2**20
"""Bytes of the largest answer: what a gateway takes from a worker. A worker sends an error in place of a larger one."""

_HEADER = struct.Struct("<IIqHB")
"""Length of the body, id, deadline, detail, kind."""

HEADER_SIZE = _HEADER.size
pack_header, _unpack_header = _HEADER.pack, _HEADER.unpack_from
"""Names of their own, for they are looked up for every frame."""


class FrameError(Exception):
    """The other side sent what is not a frame; the connection can't go on."""


def pack_frame(kind: Kind, id: int, body: bytes = b"", *, detail: int = 0, deadline_ns: int = 0) -> bytes:
    return pack_header(len(body), id, deadline_ns, detail, kind) + body


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
            length, id, deadline_ns, detail, kind = _unpack_header(data, start)
            if length > self._max_body:
                raise FrameError(f"a frame of {length} bytes; at most {self._max_body} are taken")
            start += HEADER_SIZE
            end = start + length
            if have < end:
                self._begun = id, deadline_ns, detail, kind
                self._pieces, self.missing = [data[start:]], end - have
                start = have
                break
            frames.append((id, deadline_ns, detail, kind, data[start:end]))
            start = end
        self._rest = data[start:]
        return frames

    def _finish(self, last: bytes) -> Frame:
        assert self._begun is not None
        frame = (*self._begun, b"".join((*self._pieces, last)))
        self._begun, self._pieces, self.missing = None, [], 0
        return frame
