"""Requests that fail in the model's code, and what is told of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.worker.processes import serving
from worker.wire.messages import Raised

RAISES = """
    import sys
    class E(Exception):
        def __str__(self):
            raise RuntimeError("no words")
    class A:
        def transform_predict(self, variables):
            match variables.get("how"):
                case "error": raise ValueError("bad luck: " + "é" * 5)
                case "exit": sys.exit(3)
                case "interrupt": raise KeyboardInterrupt
                case "greenlet":
                    import greenlet
                    raise greenlet.GreenletExit
                case "wordless": raise E
                case "surrogate": raise ValueError("\\ud800")
                case "long": raise ValueError("x" * 1_000_000)
                case "deep": return self.transform_predict(variables)
                case "stop": raise StopIteration
                case "answer": return [1]
            return {}
"""


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("error", "ValueError: bad luck: ééééé"),
        ("exit", "SystemExit: 3"),
        ("interrupt", "KeyboardInterrupt"),
        ("greenlet", "GreenletExit"),
        ("wordless", "E: (it can't be shown)"),
        ("surrogate", "ValueError: \\ud800"),
        ("long", "ValueError: xxx"),
        ("deep", "RecursionError"),
        ("stop", "StopIteration"),
    ],
)
@pytest.mark.parametrize("threads", [0, 2])
def test_whatever_the_model_raises_is_its_requests_error_only(
    tmp_path: Path, how: str, said: str, threads: int
) -> None:
    with serving(tmp_path, RAISES, threads=threads) as worker, worker.connect() as gateway:
        status, answer = gateway.ask({"variables": {"how": how}})
        assert (status, answer["error"]["code"]) == (500, "model_error")
        assert answer["error"]["message"].startswith(said)
        assert "etls.py" not in json.dumps(answer)
        raised = worker.hear()
        assert isinstance(raised, Raised)
        assert raised.error_id == answer["error"]["error_id"]
        assert raised.message == answer["error"]["message"]
        assert len(raised.traceback) <= 20_000
        assert f'{tmp_path}/Model/etls.py", line' in raised.traceback or how in ("wordless", "long")
        assert "scorer.py" not in raised.traceback
        assert gateway.ask() == (200, {})


def test_the_index_of_what_failed_in_a_list_is_told(tmp_path: Path) -> None:
    with serving(tmp_path, RAISES) as worker:
        status, answer = worker.ask({"variables": [{}, {"how": "error"}, {}]})
        assert (status, answer["error"]["code"], answer["error"]["index"]) == (500, "model_error", 1)
        status, answer = worker.ask({"variables": [{}, {}, {"how": "answer"}]})
        assert (status, answer["error"]["code"], answer["error"]["index"]) == (500, "bad_answer", 2)


def test_a_model_that_always_fails_does_not_flood_the_daemon(tmp_path: Path) -> None:
    with serving(tmp_path, RAISES) as worker, worker.connect() as gateway:
        for _ in range(500):
            assert gateway.ask({"variables": {"how": "error"}})[0] == 500
        worker.drain()
        gateway.close()
        assert worker.wait() == 0
        reports = worker.hear_all()
        assert 20 <= len(reports) < 60
        assert all(isinstance(report, Raised) for report in reports)


def test_a_daemon_that_does_not_read_holds_up_no_request(tmp_path: Path) -> None:
    etls = """
        class A:
            def transform_predict(self, variables):
                raise ValueError("x" * 100_000)
    """
    with serving(tmp_path, etls) as worker, worker.connect() as gateway:
        for _ in range(100):
            assert gateway.ask()[0] == 500
