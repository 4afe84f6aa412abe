"""What Prometheus finds at /metrics."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.repos import Repo
from tests.serving import Server, echo, serving


def samples(server: Server) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = server.request("GET", f"{server.url}/metrics")
    assert answer.status == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }


def labels(**given: str) -> frozenset[tuple[str, str]]:
    return frozenset(given.items())


def test_answers_are_counted_by_model_version_and_status_and_odd_names_make_no_label(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Echo/etls.py", echo("one")).commit()
    with serving(tmp_path / "data", repo.path) as server:
        for _ in range(3):
            server.score("Echo")
        server.post("/Echo", raw=b"{")
        server.post("/Nobody-Knows-It")

        def counted(status: str) -> float | None:
            return samples(server).get(
                ("pawl_requests_total", labels(model="Echo", version="v1", role="live", status=status))
            )

        server.wait(lambda: (counted("200"), counted("400")) == (3, 1), "the counts of three answers and one refusal")
        found = samples(server)
        assert found["pawl_request_duration_seconds_bucket", labels(model="Echo", version="v1", le="+Inf")] == 4
        assert found["pawl_model_live", labels(model="Echo", version="v1")] == 1
        assert found["pawl_model_failed", labels(model="Echo")] == 0
        assert found["pawl_ready", labels()] == 1
        assert not any("Nobody" in str(key) for key in found)
        [requests] = [value for (name, _), value in found.items() if name == "pawl_workers_requests"]
        assert requests == 4
