from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worker.processes import BOOT, WAIT_S
from worker.wire.messages import Failed, decode_from_worker
from worker.wire.runtime_packages import OLDEST, why_not_run
from worker.wire.status_page import new_page


def test_what_runs_the_tests_is_new_enough() -> None:
    assert why_not_run() is None


@pytest.mark.parametrize("oldest", ["0.0.1", "0.22"])
def test_a_newer_version_will_do(oldest: str) -> None:
    assert why_not_run({"msgspec": oldest}) is None


def test_a_version_compares_by_its_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "versioned_for_a_test.py").write_text('__version__ = "3.10.0rc1"')
    monkeypatch.syspath_prepend(str(tmp_path))
    assert why_not_run({"versioned_for_a_test": "3.9"}) is None
    assert "3.10.0rc1 is installed: ask for versioned_for_a_test>=3.11" in str(
        why_not_run({"versioned_for_a_test": "3.11"})
    )


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("msgspec", '__version__ = "0.17.0"', "msgspec 0.18.6 or newer, and 0.17.0 is installed"),
        ("greenlet", '__version__ = "1.1.3"', "greenlet 2.0.2 or newer, and 1.1.3 is installed"),
        ("greenlet", 'raise ImportError("made for another Python")', "made for another Python"),
    ],
)
def test_a_worker_with_an_older_one_says_so_and_what_to_do(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / f"{name}.py").write_text(content)
    ours, theirs = socket.socketpair()
    passed = [theirs.fileno(), new_page()]
    with ours, theirs, os.fdopen(passed[1]):
        ours.sendall(b"{}\n")
        command = [sys.executable, "-P", "-s", str(BOOT), *map(str, passed)]
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}
        assert subprocess.run(command, pass_fds=passed, env=environ, timeout=WAIT_S).returncode == 1
        message = decode_from_worker(ours.recv(65536))
    assert isinstance(message, Failed)
    assert said in message.message
    assert f"{name}>={OLDEST[name]} in requirements.txt" in message.message
