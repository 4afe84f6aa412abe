"""The loop of a worker: each request gets its own answer, in time, whatever the others do."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

import pytest

from tests.worker.processes import SECOND_NS, Worker, request_frame, serving, starting, write_model
from tests.worker.serving.models import ECHO, GATE, began, make_gate
from worker.wire.frames import Kind, pack_frame


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
        while worker.status_page.slices():
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


def test_one_request_runs_at_a_time_without_sessions(tmp_path: Path) -> None:
    with starting(write_model(tmp_path, ECHO)) as worker:
        description = worker.ready()
        assert not description.concurrent
        assert "no ONNX session" in description.why


def test_a_hanging_worker_shows_its_slice_and_its_stack(tmp_path: Path) -> None:
    make_gate(tmp_path)
    with serving(tmp_path, GATE) as worker, worker.connect() as gateway:
        gateway.send({"variables": {"wait": True}})
        began(worker)
        slices = worker.status_page.slices()
        assert slices
        assert worker.status_page.slices() == slices, "it is the same that goes on"
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
        assert worker.status_page.slices()
        worker.process.send_signal(signal.SIGUSR2)
        assert worker.process.stderr is not None
        lines = iter(worker.process.stderr.readline, b"")
        assert any(b"transform_predict" in line for line in lines)


def test_no_slice_runs_where_nothing_does(tmp_path: Path) -> None:
    with serving(tmp_path, ECHO) as worker:
        worker.ask()
        assert worker.status_page.slices() == {}


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
