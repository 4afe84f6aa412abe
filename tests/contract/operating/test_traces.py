"""Traces: from a caller's `traceparent` through gateway, worker and batch to a collector."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.collector import Collector, attributes, collecting
from tests.repos import Repo
from tests.serving import Server, serving
from tests.worker.models import mlp

CLASS = """
import os, numpy as np

class Scorer:
    def __init__(self, onnx):
        self.session = onnx["scorer"]

    def transform_predict(self, variables):
        if variables.get("fail"):
            raise RuntimeError("on purpose")
        if variables.get("environment"):
            return {"seen": [name for name in os.environ if name.startswith("OTEL_")]}
        return {"p": self.session.run(None, {"x": np.array([variables["x"]], np.float32)})[0][0]}
"""
THREADS = "import time\n\nclass T:\n    def transform_predict(self, variables):\n        return variables\n"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
X = [0.5] * 4


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("traces") / "models")
    repo.write("Scorer/etls.py", CLASS)
    mlp(repo.path / "Scorer" / "scorer.onnx")
    repo.write("InThreads/etls.py", THREADS).write("InThreads/model.yaml", "serve: {threads: 2}\n").commit()
    return repo


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def server(repo: Repo, collector: Collector) -> Iterator[Server]:
    asked = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a-secret",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
    }
    with serving(repo.path.parent / "data", repo.path, DEVICE="cpu", **asked) as server:
        server.wait(lambda: "requests are traced" in server.log, "the exporter")
        yield server


def parent(trace: str = TRACE, flags: str = "01") -> dict[str, str]:
    return {"traceparent": f"00-{trace}-{SPAN}-{flags}"}


def spans(server: Server, collector: Collector, trace: str, count: int) -> list[Any]:
    """Those of a trace, once so many have come, by their beginning."""

    def found() -> list[Any]:
        return [span for span in collector.spans if span.trace_id.hex() == trace]

    server.wait(lambda: len(found()) >= count, f"{count} spans of {trace}")
    return sorted(found(), key=lambda span: span.start_time_unix_nano)


def test_a_callers_trace_goes_on_through_gateway_worker_and_batch(server: Server, collector: Collector) -> None:
    trace = "a" * 32
    answer = server.post("/Scorer?key=hidden", {"variables": {"x": X}}, headers=parent(trace))
    assert answer.status == 200, answer.body
    gateway, worker, batch = spans(server, collector, trace, 3)
    assert gateway.name == f"POST {server.settings.base}/Scorer"
    assert gateway.parent_span_id.hex() == SPAN
    assert (gateway.kind, worker.kind) == (2, 1)
    assert (worker.name, worker.parent_span_id) == ("predict Scorer", gateway.span_id)
    assert (batch.name, batch.parent_span_id) == ("batch scorer", worker.span_id)
    assert [link.span_id for link in batch.links] == [worker.span_id]
    assert [link.span_id for link in worker.links] == [batch.span_id]
    assert gateway.start_time_unix_nano <= worker.start_time_unix_nano <= batch.start_time_unix_nano
    assert batch.end_time_unix_nano <= worker.end_time_unix_nano <= gateway.end_time_unix_nano
    said = attributes(gateway)
    assert said["http.request.method"] == "POST"
    assert said["http.route"] == said["url.path"] == f"{server.settings.base}/Scorer"
    assert said["http.response.status_code"] == 200
    assert said["server.address"] == said["client.address"] == "127.0.0.1"
    assert (said["pawl.model"], said["pawl.version"], said["pawl.role"]) == ("Scorer", "v1", "live")
    assert said["pawl.commit"] == answer.headers["x-pawl-commit"]
    assert "hidden" not in str(gateway)
    assert attributes(batch) == {"pawl.session": "scorer", "pawl.batch.calls": 1, "pawl.batch.rows": 1}
    assert collector.resource["service.name"] == "pawl"
    assert collector.resource["deployment.environment.name"] == "test"
    assert {name.lower(): value for name, value in collector.headers[0].items()}["api-key"] == "a-secret"


def test_a_batch_is_linked_to_every_request_that_it_ran_calls_of(server: Server, collector: Collector) -> None:
    traces = [f"{number:032x}" for number in range(1, 65)]

    def ask(trace: str) -> int:
        return server.post("/Scorer", {"variables": {"x": X}}, headers=parent(trace)).status

    with ThreadPoolExecutor(16) as clients:
        assert set(clients.map(ask, traces)) == {200}
    found = [span for trace in traces for span in spans(server, collector, trace, 2)]
    workers = {span.span_id: span for span in found if span.name == "predict Scorer"}

    def batches() -> list[Any]:
        named = [span for span in collector.spans if span.name == "batch scorer"]
        return [span for span in named if span.links[0].span_id in workers]

    server.wait(lambda: sum(len(span.links) for span in batches()) == len(traces), "all batches")
    assert {link.span_id for span in batches() for link in span.links} == set(workers)
    for span in batches():
        assert attributes(span)["pawl.batch.calls"] == len(span.links)
        back = {link.span_id for each in span.links for link in workers[each.span_id].links}
        assert back == {span.span_id}


def test_a_request_that_fails_is_traced_as_one(server: Server, collector: Collector) -> None:
    trace = "b" * 32
    assert server.post("/Scorer", {"variables": {"fail": True}}, headers=parent(trace)).status == 500
    gateway, worker = spans(server, collector, trace, 2)
    assert (gateway.status.code, worker.status.code) == (2, 2)
    assert attributes(gateway)["error.type"] == "500"


def test_a_list_of_variables_is_one_request_with_one_batch(server: Server, collector: Collector) -> None:
    trace = "c" * 32
    assert server.post("/Scorer", {"variables": [{"x": X}] * 3}, headers=parent(trace)).status == 200
    _, worker, batch = spans(server, collector, trace, 3)
    assert attributes(batch)["pawl.batch.rows"] == 3
    assert [link.span_id for link in batch.links] == [worker.span_id]


def test_all_models_are_asked_in_one_trace_also_in_threads(server: Server, collector: Collector) -> None:
    trace = "d" * 32
    assert server.post("/all", {"variables": {"x": X}}, headers=parent(trace)).status == 200
    found = {span.name: span for span in spans(server, collector, trace, 4)}
    gateway = found.pop(f"POST {server.settings.base}/all")
    assert found["predict InThreads"].parent_span_id == found["predict Scorer"].parent_span_id == gateway.span_id


def test_who_is_not_sampled_is_not_traced_and_who_says_nothing_begins_a_trace(
    server: Server, collector: Collector
) -> None:
    server.post("/InThreads", {"variables": {}}, headers=parent("e" * 32, "00"))
    server.get("/InThreads/v1", headers={"traceparent": "nonsense", "user-agent": "who-says-nothing"})

    def begun() -> list[Any]:
        return [span for span in collector.spans if attributes(span).get("user_agent.original") == "who-says-nothing"]

    server.wait(begun, "the trace")
    [span] = begun()
    assert span.parent_span_id == b""
    assert attributes(span)["http.route"] == f"{server.settings.base}/InThreads/{{version}}"
    assert not [span for span in collector.spans if span.trace_id.hex() == "e" * 32]


def test_models_see_where_traces_go_but_not_the_key(server: Server) -> None:
    seen = server.score("Scorer", environment=True)["seen"]
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in seen
    assert "OTEL_EXPORTER_OTLP_HEADERS" not in seen


def test_a_collector_that_hangs_costs_no_request_and_a_stop_sends_what_is_left(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("InThreads/etls.py", THREADS).commit()
    with collecting() as collector:
        collector.answers.clear()
        asked = {"OTEL_BSP_SCHEDULE_DELAY": "10", "OTEL_BSP_MAX_QUEUE_SIZE": "8", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "4"}
        with serving(tmp_path / "data", repo.path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **asked) as server:
            server.wait(lambda: "requests are traced" in server.log, "the exporter")
            assert {server.post("/InThreads", {"variables": {}}, headers=parent()).status for _ in range(100)} == {200}
            last = server.post("/InThreads", {"variables": {}}, headers=parent("f" * 32)).status
            collector.answers.set()
        assert last == 200
        assert {span.name for span in collector.spans if span.trace_id.hex() == "f" * 32} >= {
            f"POST {server.settings.base}/InThreads"
        }
        assert "Queue full" not in server.log
