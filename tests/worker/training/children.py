"""Starting real children of runs on folders written for a test, and reading what they say."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from worker.wire.messages import encode_message
from worker.wire.training import Breach, FromChild, Raised, Reported, StopSoon, TrainConfig, decode_from_child

BOOT = Path(__file__).parents[3] / "worker" / "training" / "boot.py"
WAIT_S = 100.0


def write_folder(root: Path, train: str | None = None, **files: str) -> Path:
    """The folder of a model named Model in `root`; `files` by name, with `__` for the dot."""
    folder = root / "Model"
    folder.mkdir(exist_ok=True)
    texts = files if train is None else {"train__py": train, **files}
    for name, content in texts.items():
        (folder / name.replace("__", ".")).write_text(textwrap.dedent(content))
    return folder


class Child:
    """A child, from the side of the process of its run."""

    def __init__(self, folder: Path, python: str = sys.executable, **config: Any) -> None:
        self.output, self.checkpoint = folder.parent / "output", folder.parent / "checkpoint"
        for made in (self.output, self.checkpoint):
            made.mkdir(exist_ok=True)
        self.control, theirs = socket.socketpair()
        self.control.settimeout(WAIT_S)
        with theirs:
            self.process = subprocess.Popen(
                [python, "-P", "-s", str(BOOT), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={"PATH": os.environ["PATH"]},
                cwd="/",
            )
        self.lines = self.control.makefile("rb")
        made = {
            "model": folder.name,
            "folder": f"{folder}/",
            "root": f"{folder.parent}/",
            "output": str(self.output),
            "checkpoint": str(self.checkpoint),
            **config,
        }
        self.control.sendall(encode_message(TrainConfig(**made)))

    def hear(self) -> FromChild:
        line = self.lines.readline()
        assert line, self.errors()
        return decode_from_child(line)

    def hear_all(self) -> list[FromChild]:
        """Up to its end."""
        return [decode_from_child(line) for line in self.lines]

    def say_stop_soon(self) -> None:
        self.control.sendall(encode_message(StopSoon()))

    def wait(self) -> int:
        return self.process.wait(WAIT_S)

    def printed(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.read().decode()

    def errors(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.lines.close()
        self.control.close()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@contextmanager
def starting(folder: Path, **config: Any) -> Iterator[Child]:
    child = Child(folder, **config)
    try:
        yield child
    finally:
        child.stop()


def outcome(folder: Path, **config: Any) -> FromChild:
    """The one message of a child that reports nothing and ends well."""
    with starting(folder, **config) as child:
        (message,) = child.hear_all()
        assert child.wait() == 0, child.errors()
        assert not isinstance(message, Reported)
        return message


def breach(folder: Path, **config: Any) -> str:
    message = outcome(folder, **config)
    assert isinstance(message, Breach), message
    return message.message


def raised(folder: Path, **config: Any) -> Raised:
    message = outcome(folder, **config)
    assert isinstance(message, Raised), message
    return message
