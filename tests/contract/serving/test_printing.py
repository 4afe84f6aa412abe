"""What a model prints is read whatever else goes on: it waits for nobody in `print`."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import command_line
from tests.repos import Repo
from tests.serving import Server, serving

PRINTS = """
import os, subprocess, sys

class Prints:
    def transform_predict(self, variables):
        getattr(self, variables["by"])(int(variables.get("mb", 0)) * 2**20 or 1)
        print("end of", variables["by"])
        return {"pid": os.getpid()}

    def python(self, much):
        for _ in range(much // 100 + 1):
            print("x" * 99)

    def itself(self, much):
        text = bytes(range(256)) * (much // 256 + 1)
        while text:
            text = text[os.write(1, text):]

    def child(self, much):
        subprocess.run(["head", "-c", str(much), "/dev/zero"], check=True)

    def quiet(self, much):
        print()

    def nothing(self, much):
        os.close(1)
        os.close(2)
        os.open("/dev/null", os.O_WRONLY)
        os.open("/dev/null", os.O_WRONLY)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    repo = Repo(tmp_path / "models").write("Prints/etls.py", PRINTS).write("Other/etls.py", PRINTS)
    repo.commit()
    with serving(tmp_path / "data", repo.path) as server:
        yield server


def relay(server: Server) -> int:
    [pid] = [pid for pid in server.pids() if "relay_program.py" in command_line(pid)]
    return pid


def wait_heard(server: Server, model: str) -> None:
    """Until what it prints is in the log, which takes but so much a second."""
    server.wait(
        lambda: server.score(model, by="quiet") and f"{model}: end of quiet" in server.log, f"what {model} prints"
    )


def test_a_daemon_that_is_stopped_holds_up_no_model_that_prints(server: Server) -> None:
    server.score("Prints", by="python")
    server.process.send_signal(signal.SIGSTOP)
    try:
        for by in ("python", "itself", "child"):
            server.score("Prints", by=by, mb=2)
    finally:
        server.process.send_signal(signal.SIGCONT)
    wait_heard(server, "Prints")
    printed = server.admin("GET", "/-/api/models/Prints/logs?limit=1000").json["items"]
    assert any("bytes of output are cut here" in item["line"] for item in printed)


def test_the_process_that_reads_the_output_is_started_again_when_it_is_killed(server: Server) -> None:
    pid = server.score("Prints", by="python")["pid"]
    first = relay(server)
    os.kill(first, signal.SIGKILL)
    assert server.score("Prints", by="itself", mb=1)["pid"] == pid
    wait_heard(server, "Prints")
    assert relay(server) != first
    wait_heard(server, "Other")


def test_a_model_that_prints_hundreds_of_megabytes_or_closes_its_output_goes_on(server: Server) -> None:
    pid = server.score("Prints", by="child", mb=300)["pid"]
    assert server.score("Prints", by="nothing")["pid"] == pid
    assert server.score("Prints", by="itself", mb=1)["pid"] == pid
    assert server.score("Other", by="python")["pid"]
