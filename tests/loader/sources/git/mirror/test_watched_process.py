"""What a git says is heard to its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time

from loader.sources.git.mirror.watched_process import close, output


def heard(script: str) -> bytes:
    """What is heard of a shell that runs it, by one who looks without a pause."""
    process = subprocess.Popen(
        ["sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        return b"".join(output(process, time.monotonic() + 60, 0))
    finally:
        close(process)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_a_process_that_speaks_and_ends_between_two_looks_is_heard() -> None:
    assert {heard("echo said") for _ in range(200)} == {b"said\n"}


def test_a_pipe_that_another_holds_open_is_not_waited_for() -> None:
    assert heard("echo said; sleep 600 &") == b"said\n"
