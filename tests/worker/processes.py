"""Starting real workers on folders written for a test, and talking frames and control messages to them."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.frames import Frame, NamedFrameReader
from worker.wire.frames import MAX_ANSWER, Kind, pack_frame
from worker.wire.messages import (
    Description,
    Drain,
    Failed,
    FromWorker,
    Ready,
    WorkerConfig,
    decode_from_worker,
    encode_message,
)
from worker.wire.status_page import StatusPage, new_page

BOOT = Path(__file__).parents[2] / "worker" / "boot.py"
WAIT_S = 100.0
SECOND_NS = 1_000_000_000


def write_model(root: Path, etls: str | None = None, **files: str | bytes) -> Path:
    """The folder of a model named Model in a release's folder `root`; `files` by name, with `__` for the dot."""
    folder = root / "Model"
    folder.mkdir(parents=True, exist_ok=True)
    if etls is not None:
        (folder / "etls.py").write_text(textwrap.dedent(etls))
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content if isinstance(content, bytes) else textwrap.dedent(content).encode())
    return folder


class Worker:
    """A worker process, from the daemon's side."""

    def __init__(self, folder: Path, python: str = sys.executable, **config: Any) -> None:
        self.config = WorkerConfig(
            **{
                "model": folder.name,
                "folder": f"{folder}/",
                "root": f"{folder.parent}/",
                "socket": str(folder.parent / "socket"),
                "max_body": 1 << 26,
                **config,
            }
        )
        page = new_page()
        self.status_page = StatusPage(os.dup(page))
        self.control, theirs = socket.socketpair()
        self.control.settimeout(WAIT_S)
        with theirs, os.fdopen(page):
            self.process = subprocess.Popen(
                [python, "-P", "-s", str(BOOT), str(theirs.fileno()), str(page)],
                pass_fds=[theirs.fileno(), page],
                stderr=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={"PATH": os.environ["PATH"]},
            )
        self.control.sendall(encode_message(self.config))
        self._lines = self.control.makefile("rb")

    def hear(self) -> FromWorker:
        """The next control message."""
        line = self._lines.readline()
        if not line:
            raise EOFError(self.errors())
        return decode_from_worker(line)

    def hear_all(self) -> list[FromWorker]:
        """The control messages still to come, once the worker has exited."""
        return [decode_from_worker(line) for line in self._lines]

    def ready(self) -> Description:
        message = self.hear()
        assert isinstance(message, Ready), message
        return message.description

    def failed(self) -> Failed:
        message = self.hear()
        assert isinstance(message, Failed), message
        assert self.wait() == 1
        return message

    def drain(self) -> None:
        self.control.sendall(encode_message(Drain()))

    def wait(self) -> int:
        """The exit status."""
        return self.process.wait(WAIT_S)

    def errors(self) -> str:
        """All that the worker wrote to stderr, once it has exited."""
        self.wait()
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    def connect(self) -> Gateway:
        return Gateway(self.config.socket)

    def ask(self, body: bytes | str | dict[str, Any] = b"") -> tuple[int, Any]:
        """One request on a connection of its own: the status and the answer."""
        with self.connect() as gateway:
            return gateway.ask(body)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self._lines.close()
        self.control.close()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


class Gateway:
    """A connection to a worker."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(WAIT_S)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise
        self._reader = NamedFrameReader(MAX_ANSWER)
        self._frames: list[Frame] = []
        self._ids = itertools.count(1)

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def send(self, body: bytes | str | dict[str, Any] = b"", *, deadline_ns: int | None = None) -> int:
        """Send a request; its id."""
        id = next(self._ids)
        self.socket.sendall(request_frame(id, body, deadline_ns=deadline_ns))
        return id

    def cancel(self, id: int) -> None:
        self.socket.sendall(pack_frame(Kind.CANCEL, id))

    def receive(self) -> Frame:
        """The next answer. Raises EOFError where the worker has closed the connection."""
        while not self._frames:
            data = self.socket.recv(1 << 16)
            if not data:
                raise EOFError
            self._frames += self._reader.named(data)
        return self._frames.pop(0)

    def ask(self, body: bytes | str | dict[str, Any] = b"") -> tuple[int, Any]:
        id = self.send(body)
        frame = self.receive()
        assert frame.kind == Kind.ANSWER
        assert frame.id == id
        return frame.status, json.loads(frame.body)


def request_frame(id: int, body: bytes | str | dict[str, Any] = b"", *, deadline_ns: int | None = None) -> bytes:
    if isinstance(body, dict):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    deadline_ns = time.monotonic_ns() + 60 * SECOND_NS if deadline_ns is None else deadline_ns
    return pack_frame(Kind.REQUEST, id, body, deadline_ns=deadline_ns)


@contextlib.contextmanager
def starting(folder: Path, **config: Any) -> Iterator[Worker]:
    """A worker, from its start on."""
    worker = Worker(folder, **config)
    try:
        yield worker
    finally:
        worker.stop()


@contextlib.contextmanager
def serving(root: Path, etls: str | None = None, **config: Any) -> Iterator[Worker]:
    """A worker that is ready; `root` is the release's folder, in which the model's is written."""
    with starting(write_model(root, etls), **config) as worker:
        worker.ready()
        yield worker
