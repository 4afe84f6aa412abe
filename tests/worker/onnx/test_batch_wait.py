"""Requests that wait for each other at a session's call."""

from __future__ import annotations

import json
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto, helper

from tests.worker.processes import Gateway, request_frame, starting, write_model


def doubling() -> bytes:
    """y = x + x, for rows of one number each."""
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "doubling",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content


ETLS = """
    import numpy as np
    class Doubling:
        def __init__(self, onnx):
            self.session = onnx["model"]
            self.in_constructor = self.double(3)
        def double(self, x):
            return float(self.session.run(None, {"x": np.array([[x]], np.float32)})[0][0, 0])
        def transform_predict(self, variables):
            x = variables["x"]
            return {"x": x, "four": self.double(self.double(x))}
"""


def derived(etls: str) -> str:
    """A class that takes its session from `Doubling`."""
    return textwrap.dedent(ETLS).replace("def transform_predict", "def unused") + textwrap.dedent(etls)


def folder(root: Path, etls: str = ETLS) -> Path:
    return write_model(root, etls, model__onnx=doubling())


def ask_many(gateway: Gateway, count: int) -> None:
    """Send requests together and see that each gets its own answer."""
    gateway.socket.sendall(b"".join(request_frame(id, {"variables": {"x": id}}) for id in range(1, count + 1)))
    answers = [gateway.receive() for _ in range(count)]
    assert sorted(answer.id for answer in answers) == list(range(1, count + 1))
    for answer in answers:
        assert (answer.status, json.loads(answer.body)) == (200, {"x": answer.id, "four": 4.0 * answer.id})


def test_calls_of_concurrent_requests_are_merged_and_each_gets_its_own(tmp_path: Path) -> None:
    with starting(folder(tmp_path)) as worker:
        description = worker.ready()
        assert description.concurrent, description.why
        assert [each.merged for each in description.sessions] == [True]
        with worker.connect() as gateway:
            ask_many(gateway, 1000)
        counters = worker.status_page.counters()
        assert (counters["requests"], counters["calls"], counters["rows"]) == (1000, 2000, 2000)
        assert counters["batches"] < 200


def test_a_lone_request_waits_for_nobody(tmp_path: Path) -> None:
    with starting(folder(tmp_path)) as worker:
        worker.ready()
        assert worker.ask({"variables": {"x": 1}}) == (200, {"x": 1, "four": 4.0})
        assert worker.status_page.counters()["batches"] == 2


def test_requests_in_threads_are_merged_all_the_same(tmp_path: Path) -> None:
    with starting(folder(tmp_path), threads=16) as worker:
        assert worker.ready().threads == 16
        with worker.connect() as gateway:
            ask_many(gateway, 1000)
        assert worker.status_page.counters()["requests"] == 1000
        assert worker.status_page.slices() == {}


def test_one_at_a_time_where_it_is_declared(tmp_path: Path) -> None:
    with starting(folder(tmp_path), concurrent=False) as worker:
        description = worker.ready()
        assert (description.concurrent, description.why) == (False, "serve.concurrent is false")
        with worker.connect() as gateway:
            ask_many(gateway, 200)
        counters = worker.status_page.counters()
        assert counters["batches"] == counters["calls"] in (0, 400)


def test_a_class_that_would_see_its_neighbours_gets_one_request_at_a_time(tmp_path: Path) -> None:
    etls = """
        import numpy as np
        class Doubling:
            def __init__(self, onnx):
                self.session = onnx["model"]
            def transform_predict(self, variables):
                self.x = variables["x"]
                once = self.session.run(None, {"x": np.array([[self.x]], np.float32)})[0]
                return {"x": self.x, "four": float(2 * once[0, 0])}
    """
    with starting(folder(tmp_path, etls)) as worker:
        description = worker.ready()
        assert not description.concurrent
        assert "etls.py" in description.why
        with worker.connect() as gateway:
            ask_many(gateway, 200)


def test_each_request_has_context_variables_of_its_own(tmp_path: Path) -> None:
    etls = """
        import contextvars
        seen = contextvars.ContextVar("seen", default=None)
        class A(Doubling):
            def transform_predict(self, variables):
                assert seen.get() is None
                seen.set(variables["x"])
                once = self.double(variables["x"])
                assert seen.get() == variables["x"]
                return {"x": seen.get(), "four": 2 * once}
    """
    with starting(folder(tmp_path, derived(etls)), concurrent=True) as worker:
        worker.ready()
        with worker.connect() as gateway:
            ask_many(gateway, 200)
        assert worker.status_page.counters()["batches"] < 50


def test_callers_that_go_away_while_their_calls_wait_hurt_nobody(tmp_path: Path) -> None:
    with starting(folder(tmp_path)) as worker:
        worker.ready()
        for _ in range(20):
            with worker.connect() as stays, worker.connect() as leaves:
                leaves.socket.sendall(b"".join(request_frame(id, {"variables": {"x": id}}) for id in range(50)))
                cancelled = [stays.send({"variables": {"x": 1}}) for _ in range(50)]
                leaves.close()
                for id in cancelled:
                    stays.cancel(id)
                id = stays.send({"variables": {"x": 7}})
                while (answer := stays.receive()).id != id:
                    pass
                assert json.loads(answer.body) == {"x": 7, "four": 28.0}


FLIPS = """
    import itertools, sys
    class A(Doubling):
        def __init__(self, onnx):
            self.session = onnx["model"]
            flips = itertools.cycle([True, False, False, True, True, True, False])
            sys.modules["_pawl.onnx.batchable"].Batchable.is_slow = lambda session, rows: next(flips)
        def transform_predict(self, variables):
            return {"y": self.double(self.double(variables["x"]))}
"""


@pytest.mark.parametrize("config", [{"concurrent": True}, {"threads": 8}], ids=["greenlets", "threads"])
def test_no_call_is_left_behind_when_batches_go_from_thread_to_thread(tmp_path: Path, config: dict[str, Any]) -> None:
    """Each caller waits for its answer before it asks again: there is nobody else whose request would wake the loop."""

    def ask_again_and_again(path: str) -> None:
        with Gateway(path) as gateway:
            for x in range(150):
                gateway.cancel(gateway.send({"variables": {"x": x}}))
                many = gateway.send({"variables": [{"x": x}] * 3})
                while (answer := gateway.receive()).id != many:  # it may have been too late to cancel
                    pass
                assert json.loads(answer.body) == [{"y": 4.0 * x}] * 3

    with starting(folder(tmp_path, derived(FLIPS)), max_batch=4, **config) as worker:
        worker.ready()
        with ThreadPoolExecutor(6) as callers:
            list(callers.map(ask_again_and_again, [worker.config.socket] * 6))


AT_ONCE = {
    "under a running asyncio loop": """
        import asyncio
        class A(Doubling):
            def transform_predict(self, variables):
                async def twice():
                    return [self.double(x) for x in (variables["x"], 1)]
                return {"x": variables["x"], "four": 2 * asyncio.run(twice())[0]}
    """,
    "in a thread of the author's": """
        from concurrent.futures import ThreadPoolExecutor
        class A(Doubling):
            def transform_predict(self, variables):
                with ThreadPoolExecutor(2) as pool:
                    (once,) = pool.map(self.double, [variables["x"]])
                return {"x": variables["x"], "four": 2 * once}
    """,
    "in a greenlet of the author's": """
        from greenlet import greenlet
        class A(Doubling):
            def transform_predict(self, variables):
                return {"x": variables["x"], "four": 2 * greenlet(self.double).switch(variables["x"])}
    """,
}


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("etls", AT_ONCE.values(), ids=AT_ONCE.keys())
def test_a_session_runs_at_once(tmp_path: Path, etls: str, threads: int) -> None:
    with starting(folder(tmp_path, derived(etls)), concurrent=True, threads=threads) as worker:
        worker.ready()
        with worker.connect() as gateway:
            ask_many(gateway, 20)
        assert worker.status_page.counters()["calls"] == 0


@pytest.mark.parametrize("config", [{"concurrent": True}, {"threads": 2}], ids=["greenlets", "threads"])
def test_a_call_without_rows_harms_no_later_one(tmp_path: Path, config: dict[str, Any]) -> None:
    etls = """
        import numpy as np
        class A(Doubling):
            def __init__(self, onnx):
                self.session = onnx["model"]
            def transform_predict(self, variables):
                if variables.get("empty"):
                    (none,) = self.session.run(None, {"x": np.zeros((0, 1), np.float32)})
                    return {"rows": len(none)}
                return {"x": variables["x"], "four": self.double(self.double(variables["x"]))}
    """
    with starting(folder(tmp_path, derived(etls)), max_batch=1, **config) as worker:  # so nothing was tried before
        worker.ready()
        with worker.connect() as gateway:
            assert gateway.ask({"variables": {"empty": True}}) == (200, {"rows": 0})
            ask_many(gateway, 20)


def test_feeds_that_are_no_arrays_are_left_to_onnx_runtime(tmp_path: Path) -> None:
    etls = """
        import numpy as np
        import onnxruntime
        class A(Doubling):
            def __init__(self, onnx):
                self.session = onnx["model"]
            def double(self, x):
                rows = onnxruntime.OrtValue.ortvalue_from_numpy(np.array([[x]], np.float32))
                return float(self.session.run(None, {"x": rows})[0][0, 0])
            def transform_predict(self, variables):
                return {"x": variables["x"], "four": self.double(self.double(variables["x"]))}
    """
    with starting(folder(tmp_path, derived(etls)), concurrent=True) as worker:
        worker.ready()
        with worker.connect() as gateway:
            ask_many(gateway, 20)


def test_a_failing_call_is_its_requests_error_only(tmp_path: Path) -> None:
    etls = """
        import numpy as np
        class A:
            def __init__(self, onnx):
                self.session = onnx["model"]
            def transform_predict(self, variables):
                rows = np.zeros((1, variables.get("width", 1)), np.float32)
                return {"y": self.session.run(None, {"x": rows})[0]}
    """
    with starting(folder(tmp_path, etls)) as worker:
        worker.ready()
        with worker.connect() as gateway:
            widths: list[dict[str, Any]] = [{"width": 3 if id % 10 == 0 else 1} for id in range(100)]
            gateway.socket.sendall(b"".join(request_frame(id, {"variables": v}) for id, v in enumerate(widths)))
            for _ in widths:
                answer = gateway.receive()
                assert answer.status == (500 if answer.id % 10 == 0 else 200), answer.body


def test_a_full_batch_does_not_wait_until_requests_cease_to_come(tmp_path: Path) -> None:
    etls = """
        import time
        class A(Doubling):
            def transform_predict(self, variables):
                until = time.monotonic() + 0.002
                while time.monotonic() < until:
                    pass
                return {"y": self.double(1)}
    """
    with starting(folder(tmp_path, derived(etls)), concurrent=True, max_batch=4) as worker:
        worker.ready()
        with worker.connect() as gateway:
            gateway.socket.sendall(b"".join(request_frame(id) for id in range(500)))
            gateway.receive()
            assert worker.status_page.counters()["requests"] < 500
