"""What the bench must not get wrong: fast wrong answers, and contenders that don't start."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from bench.contenders import environments
from bench.contenders.contender import CannotStart
from bench.figures.sample import Failure, Sample
from bench.inputs import models
from bench.inputs.models import MODELS, Model
from bench.load.endpoint import Endpoint, WrongAnswer
from bench.machine.home import ROOT
from bench.measure import measure
from bench.peers.pawl import WIRE, Pawl
from bench.report.page import render
from tests.processes import descendants
from tests.waiting import wait_for


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "HOME", tmp_path)


@contextmanager
def answering(probabilities: object) -> Iterator[Endpoint]:
    """A server that answers the same to everything."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            body = json.dumps({"probabilities": probabilities}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        request_queue_size = 64
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Endpoint(f"http://127.0.0.1:{server.server_address[1]}/", WIRE)
        finally:
            server.shutdown()
            thread.join()


def test_a_fast_wrong_answer_is_refused() -> None:
    with answering([0.5, 0.5]) as endpoint, pytest.raises(WrongAnswer):
        endpoint.check(MODELS["trees"])


@pytest.mark.parametrize("garbage", [None, "oops", ["a", "b"], [None, None], [[1], [1, 2]]])
def test_whoever_answers_with_garbage_has_failed_and_the_others_go_on(garbage: object) -> None:
    class Garbage:
        title, note = "Garbage", ""

        def versions(self) -> Mapping[str, str]:
            return {}

        @contextmanager
        def serving(self, _: Model) -> Iterator[Endpoint]:
            with answering(garbage) as endpoint:
                yield endpoint

    [failure] = measure("garbage", Garbage(), MODELS["trees"], [1], 0.1)
    assert isinstance(failure, Failure)
    assert failure.why.startswith("WrongAnswer: ")


def test_an_installer_that_is_killed_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "UV", "/bin/false")
    with pytest.raises(CannotStart, match="saying nothing"):
        environments.versions(Path(sys.executable), [])


def test_a_pawl_that_does_not_start_is_reported() -> None:
    with pytest.raises(CannotStart), Pawl(etls="syntax error", start_s=1.0).serving(MODELS["trees"]):
        pass


def test_what_is_set_outside_does_not_reach_the_pawl_that_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAYS", "none")
    with Pawl().serving(MODELS["trees"]) as endpoint:
        endpoint.check(MODELS["trees"])


def test_what_ran_before_a_peer_goes_on_after_it() -> None:
    with subprocess.Popen(["sleep", "1000"]) as before:
        with Pawl().serving(MODELS["trees"]):
            pass
        assert before.poll() is None
        before.kill()


def test_a_bench_that_is_told_to_stop_leaves_no_server(tmp_path: Path) -> None:
    code = (
        "import time; from bench.machine import processes\n"
        "from bench.peers import bare; from bench.inputs.models import MODELS\n"
        "processes.adopt(); processes.leave_nothing_behind()\n"
        "with bare.PEER.serving(MODELS['trees']):\n"
        "    print('up', flush=True)\n"
        "    while True: time.sleep(0.05)"  # a signal just before a sleep is handled only after it
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        servers = descendants(process.pid) - {process.pid}
        process.terminate()
        process.send_signal(signal.SIGHUP)
        process.terminate()
        assert process.wait(100) in (128 + signal.SIGTERM, 128 + signal.SIGHUP)
    assert servers
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in servers), "the servers to be gone")


def test_the_rows_asked_about_have_different_answers() -> None:
    answers = MODELS["trees"].answers(MODELS["trees"].rows(64))
    assert len(np.unique(answers[:, 1])) > 60


@pytest.mark.parametrize("name", MODELS)
def test_a_batch_and_its_rows_come_out_the_same(name: str) -> None:
    rows = MODELS[name].rows(4)
    apart = np.concatenate([MODELS[name].answers(row[None]) for row in rows])
    assert np.allclose(MODELS[name].answers(rows), apart, atol=1e-5)


def test_the_page_names_who_failed_and_why() -> None:
    one = Sample("pawl", "network", 32, 10, 1.0, 2.0, 0, {"worker": 0.1}, 100.0, 4.0, 0.5)
    serve = {
        "date": "today", "commit": "abc", "note": "", "versions": {"ray": {}},
        "machine": {"processor": "P", "cores": 2, "memory_gb": 4, "kernel": "6", "wrk": "4", "load_average": 1.0},
        "plan": {"seconds": 5.0, "rounds": 1, "server_cores": 2},
        "samples": [vars(one)],
        "failures": [{"contender": "ray", "model": "network", "why": "it caught fire"}],
        "limits": [{"model": "network", "batch": 32, "rate": 100.0}],
        "stalls": [0.004, 0.0123],
    }  # fmt: skip
    page = render({"serve": serve})
    assert "| Ray Serve | failed: it caught fire |" in page
    assert "0.10 of ONNX Runtime alone" in page
    assert "lost 0.4% to 1.2% of its time" in page
