from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.worker.processes import SECOND_NS, Gateway, Worker, request_frame, serving, starting, write_model
from worker.wire.frames import Kind, pack_frame
from worker.wire.messages import Drain, Raised, encode_message

ECHO = """
    class Echo:
        def transform_predict(self, variables):
            return variables
"""

GATE = """
    import os
    class Gate:
        def transform_predict(self, variables):
            if variables.get("wait"):
                print("began", flush=True)
                with open(os.path.dirname(os.getcwd()) + "/gate") as gate:
                    gate.read()
            return {"x": variables.get("x")}
"""
"""Waits for a named pipe in the release's folder to be opened and closed."""


def began(worker: Worker) -> None:
    assert worker.process.stdout is not None
    assert worker.process.stdout.readline() == b"began\n"


def make_gate(root: Path) -> Path:
    os.mkfifo(root / "gate")
    return root / "gate"


def test_each_of_thousands_gets_its_own_answer(tmp_path: Path) -> None:
    with serving(tmp_path, ECHO) as worker:
        gateways = [worker.connect() for _ in range(4)]
        for gateway in gateways:
            gateway.socket.sendall(b"".join(request_frame(id, {"variables": {"id": id}}) for id in range(1000)))
        for gateway in gateways:
            answers = [gateway.receive() for _ in range(1000)]
            assert sorted(answer.id for answer in answers) == list(range(1000))
            assert all(json.loads(answer.body) == {"id": answer.id} for answer in answers)
            gateway.close()
        assert worker.status_page.counters()["requests"] == 4000


def test_a_list_of_variables_is_answered_by_a_list(tmp_path: Path) -> None:
    with serving(tmp_path, ECHO) as worker:
        assert worker.ask({"variables": [{"a": 1}, {}, {"a": 2}]}) == (200, [{"a": 1}, {}, {"a": 2}])
        assert worker.ask({"variables": []}) == (200, [])


def test_garbage_is_answered_and_hurts_nobody(tmp_path: Path) -> None:
    with serving(tmp_path, ECHO) as worker, worker.connect() as gateway:
        for body in (b"{", b"\xff", b'{"variables": ' + b"[" * 100_000, random.Random(1).randbytes(1000)):
            status, answer = gateway.ask(body)
            assert (status, answer["error"]["code"]) == (400, "malformed_json")
        assert gateway.ask({"variables": 1})[0] == 422
        assert gateway.ask({"variables": {"a": 1}}) == (200, {"a": 1})


@pytest.mark.parametrize(
    "garbage",
    [
        b"\xff" * 100,
        pack_frame(Kind.ANSWER, 1),
        pack_frame(Kind.REQUEST, 1, b"x" * 2000),
        request_frame(7) + request_frame(7),
        pack_frame(Kind.REQUEST, 1, b"{}", detail=999),
    ],
    ids=["noise", "an answer", "a body over the limit", "an id twice", "an unknown format"],
)
def test_a_gateway_that_talks_nonsense_is_left_and_the_others_stay(tmp_path: Path, garbage: bytes) -> None:
    with serving(tmp_path, ECHO, max_body=1000) as worker, worker.connect() as good, worker.connect() as bad:
        bad.socket.sendall(garbage)
        with pytest.raises((EOFError, ConnectionResetError)):
            bad.receive()
        assert good.ask({"variables": {"a": 1}}) == (200, {"a": 1})


def test_frames_may_come_in_pieces(tmp_path: Path) -> None:
    with serving(tmp_path, ECHO) as worker, worker.connect() as gateway:
        frame = request_frame(1, {"variables": {"a": 1}})
        for at in range(len(frame)):
            gateway.socket.sendall(frame[at : at + 1])
        assert gateway.receive().id == 1


def test_large_bodies_and_answers_pass(tmp_path: Path) -> None:
    with serving(tmp_path, ECHO) as worker:
        big = {"a": "x" * 20_000_000}
        assert worker.ask({"variables": big}) == (200, big)


def test_an_expired_request_is_not_begun(tmp_path: Path) -> None:
    with serving(tmp_path, ECHO) as worker, worker.connect() as gateway:
        gateway.send(deadline_ns=time.monotonic_ns() - 1)
        frame = gateway.receive()
        assert (frame.status, json.loads(frame.body)["error"]["code"]) == (504, "deadline_exceeded")
        assert worker.status_page.counters()["requests"] == 0


def test_a_request_that_expires_while_it_waits_is_not_begun(tmp_path: Path) -> None:
    gate = make_gate(tmp_path)
    with serving(tmp_path, GATE) as worker, worker.connect() as gateway:
        first = gateway.send({"variables": {"wait": True}})
        began(worker)
        deadline_ns = time.monotonic_ns() + SECOND_NS // 100
        second = gateway.send(deadline_ns=deadline_ns)
        while time.monotonic_ns() < deadline_ns:
            pass
        gate.write_text("")
        assert {frame.id: frame.status for frame in (gateway.receive(), gateway.receive())} == {first: 200, second: 504}


def test_a_cancelled_request_is_not_begun(tmp_path: Path) -> None:
    gate = make_gate(tmp_path)
    with serving(tmp_path, GATE) as worker, worker.connect() as gateway:
        first = gateway.send({"variables": {"wait": True}})
        began(worker)
        gateway.cancel(gateway.send())
        third = gateway.send()
        gate.write_text("")
        assert [gateway.receive().id, gateway.receive().id] == [first, third]
        assert worker.status_page.counters()["requests"] == 2


def test_the_answer_to_a_caller_that_went_away_while_his_request_ran_is_dropped(tmp_path: Path) -> None:
    gate = make_gate(tmp_path)
    with serving(tmp_path, GATE, threads=2) as worker, worker.connect() as gateway:
        gone = gateway.send({"variables": {"wait": True}})
        began(worker)
        gateway.cancel(gone)
        gateway.ask()  # behind the cancellation: once answered, that was read
        gate.write_text("")
        worker.drain()
        assert gateway.ask() == (200, {"x": None})
        while worker.status_page.longest_slice_s():
            pass
        assert gateway.ask() == (200, {"x": None})


def test_a_connection_that_ends_takes_only_its_own_requests_along(tmp_path: Path) -> None:
    gate = make_gate(tmp_path)
    with serving(tmp_path, GATE) as worker, worker.connect() as other:
        with worker.connect() as gateway:
            gateway.send({"variables": {"wait": True}})
            began(worker)
            for _ in range(10):
                gateway.send()
            id = other.send({"variables": {"x": 1}})
        gate.write_text("")
        assert other.receive().id == id
        assert worker.status_page.counters()["requests"] == 2


def test_a_gateway_that_does_not_read_holds_up_nobody(tmp_path: Path) -> None:
    etls = "class Big:\n    def transform_predict(self, v): return {'x': 'x' * v.get('n', 0)}\n"
    with serving(tmp_path, etls) as worker, worker.connect() as lazy, worker.connect() as other:
        lazy.socket.sendall(b"".join(request_frame(id, {"variables": {"n": 1 << 20}}) for id in range(200)))
        assert other.ask()[0] == 200
        assert sorted(lazy.receive().id for _ in range(200)) == list(range(200))


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


def test_one_request_runs_at_a_time_without_sessions(tmp_path: Path) -> None:
    with starting(write_model(tmp_path, ECHO)) as worker:
        description = worker.ready()
        assert not description.concurrent
        assert "no ONNX session" in description.why


def test_signals_that_reach_the_whole_terminal_are_left_to_the_daemon(tmp_path: Path) -> None:
    with serving(tmp_path, ECHO) as worker:
        for number in (signal.SIGINT, signal.SIGTERM):
            worker.process.send_signal(number)
        assert worker.ask({"variables": {"a": 1}}) == (200, {"a": 1})


def test_a_hanging_worker_shows_its_slice_and_its_stack(tmp_path: Path) -> None:
    make_gate(tmp_path)
    with serving(tmp_path, GATE) as worker, worker.connect() as gateway:
        gateway.send({"variables": {"wait": True}})
        began(worker)
        first = worker.status_page.longest_slice_s()
        assert first > 0
        assert worker.status_page.longest_slice_s() > first
        worker.process.send_signal(signal.SIGUSR2)
        assert worker.process.stderr is not None
        lines = iter(worker.process.stderr.readline, b"")
        assert any(b"etls.py" in line and b"transform_predict" in line for line in lines)


def test_a_worker_that_hangs_with_the_interpreter_locked_shows_its_slice_and_its_stack(tmp_path: Path) -> None:
    etls = """
        import ctypes
        class A:
            def transform_predict(self):
                print("began", flush=True)
                ctypes.PyDLL(None).sleep(600)
    """
    with serving(tmp_path, etls) as worker, worker.connect() as gateway:
        gateway.send()
        began(worker)
        assert worker.status_page.longest_slice_s() > 0
        worker.process.send_signal(signal.SIGUSR2)
        assert worker.process.stderr is not None
        lines = iter(worker.process.stderr.readline, b"")
        assert any(b"transform_predict" in line for line in lines)


def test_no_slice_runs_where_nothing_does(tmp_path: Path) -> None:
    with serving(tmp_path, ECHO) as worker:
        worker.ask()
        assert worker.status_page.longest_slice_s() == 0


def test_a_worker_killed_in_mid_request_drops_the_connection(tmp_path: Path) -> None:
    make_gate(tmp_path)
    with serving(tmp_path, GATE) as worker, worker.connect() as gateway:
        gateway.send({"variables": {"wait": True}})
        began(worker)
        worker.process.kill()
        with pytest.raises((EOFError, ConnectionResetError)):
            gateway.receive()


def test_a_draining_worker_answers_what_is_there_and_exits_with_its_last_connection(tmp_path: Path) -> None:
    gate = make_gate(tmp_path)
    with serving(tmp_path, GATE) as worker, worker.connect() as gateway:
        first = gateway.send({"variables": {"wait": True}})
        began(worker)
        second = gateway.send({"variables": {"x": 1}})
        worker.drain()
        gate.write_text("")
        assert [gateway.receive().id, gateway.receive().id] == [first, second]
        with pytest.raises(ConnectionRefusedError):
            Gateway(worker.config.socket)
        assert gateway.ask({"variables": {"x": 3}}) == (200, {"x": 3})
        assert worker.process.poll() is None
        gateway.close()
        assert worker.wait() == 0


def test_a_connection_in_the_backlog_when_its_worker_drains_is_accepted(tmp_path: Path) -> None:
    gate = make_gate(tmp_path)
    with serving(tmp_path, GATE) as worker, worker.connect() as first:
        first.send({"variables": {"wait": True}})
        began(worker)
        worker.drain()
        with worker.connect() as second:
            id = second.send()
            gate.write_text("")
            assert second.receive().id == id


def test_a_worker_without_connections_drains_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, ECHO) as worker:
        worker.drain()
        assert worker.wait() == 0


def test_a_worker_whose_daemon_is_gone_exits(tmp_path: Path) -> None:
    with serving(tmp_path, ECHO) as worker, worker.connect():
        worker._lines.close()
        worker.control.close()
        assert worker.wait() == 0


BUSY = """
    import time
    class Busy:
        def transform_predict(self, variables):
            until = time.monotonic() + 0.002
            while time.monotonic() < until:
                pass
            return {}
"""


def test_an_answer_does_not_wait_for_the_requests_behind_it(tmp_path: Path) -> None:
    with serving(tmp_path, BUSY) as worker, worker.connect() as gateway:
        gateway.socket.sendall(b"".join(request_frame(id) for id in range(500)))
        gateway.receive()
        assert worker.status_page.counters()["requests"] < 500


def test_an_idle_worker_sleeps_but_for_an_iteration_now_and_then(tmp_path: Path) -> None:
    with serving(tmp_path, ECHO) as worker:
        assert worker.ask({"variables": {}}) == (200, {})
        turns = [next_turn(worker, 0)]
        for _ in range(4):
            turns.append(next_turn(worker, turns[-1]))
        assert turns[-1] - turns[-2] > SECOND_NS // 2


def next_turn(worker: Worker, last: int) -> int:
    """The next heartbeat that we see."""
    while (turned := worker.status_page.heartbeat_ns) == last:
        time.sleep(0.001)
    return turned


@pytest.mark.parametrize("some_hang", [True, False])
def test_a_drained_worker_waits_for_a_call_that_hangs_unless_told_that_it_does(tmp_path: Path, some_hang: bool) -> None:
    gate = make_gate(tmp_path)
    with serving(tmp_path, GATE, threads=2) as worker, worker.connect() as gateway:
        gateway.send({"variables": {"wait": True}})
        began(worker)
        worker.control.sendall(encode_message(Drain(some_hang)))
        assert gateway.ask({"variables": {"x": 1}}) == (200, {"x": 1})
        gateway.close()
        if not some_hang:
            gate.write_text("")
        assert worker.wait() == 0
