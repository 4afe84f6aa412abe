"""How a worker ends: drained, killed, or left by its daemon."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.worker.processes import Gateway, serving
from tests.worker.serving.models import ECHO, GATE, began, make_gate
from worker.wire.messages import Drain, encode_message


def test_signals_that_reach_the_whole_terminal_are_left_to_the_daemon(tmp_path: Path) -> None:
    with serving(tmp_path, ECHO) as worker:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            worker.process.send_signal(number)
        assert worker.ask({"variables": {"a": 1}}) == (200, {"a": 1})


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
