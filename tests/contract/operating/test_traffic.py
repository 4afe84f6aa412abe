"""What clients count, what /metrics says and what the traffic API tells are the same."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.operating.test_metrics import samples
from tests.repos import Repo
from tests.serving import TOKEN, Server, serving

MODEL = """
class Refusal(ValueError):
    status_code = 418


class Model:
    def transform_predict(self, variables):
        if variables.get("say") == "refuse":
            raise Refusal("no")
        if variables.get("say") == "fail":
            raise RuntimeError("broken")
        return {"by": "EDITION"}
"""
BEARER = {"authorization": f"Bearer {TOKEN}"}
ASKED = {"fine": 7, "refuse": 3, "fail": 2}
BY_STATUS = {"200": 7, "418": 3, "500": 2}


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("repo") / "models")
    repo.write("Model/examples.json", '[{"variables": {"say": "fine"}}]')
    for edition in ("one", "two"):
        repo.write("Model/etls.py", MODEL.replace("EDITION", edition)).commit()
    return repo


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def before(repo: Repo, data: Path) -> datetime:
    """When it began. Since then one server was asked all that there is to ask, and has stopped."""
    began = datetime.now(UTC)
    with serving(data, repo.path) as server:
        for say, times in ASKED.items():
            for _ in range(times):
                server.post("/Model", {"variables": {"say": say}})
        assert server.post("/Model/v2", {}).headers["x-pawl-role"] == "version"
        assert server.post("/Model", {}).headers["x-pawl-role"] == "live"
        server.post("/all", {})
        server.wait(lambda: counted(server) == 15, "what /metrics says of fifteen answers")
        live = {key: value for key, value in requests(server).items() if key[0] == "live"}
        assert live == {("live", "200"): 9, ("live", "418"): 3, ("live", "500"): 2}
        assert traffic(server, "/models/Model")["totals"]["requests"] == 15
    return began


@pytest.fixture(scope="module")
def server(before: datetime, repo: Repo, data: Path) -> Iterator[Server]:
    """Another one, after that one stopped, with nothing but what it left."""
    with serving(data, repo.path) as server:
        yield server


def requests(server: Server) -> dict[tuple[str, str], float]:
    """By role and status."""
    return {
        (dict(labels)["role"], dict(labels)["status"]): value
        for (name, labels), value in samples(server).items()
        if name == "pawl_requests_total"
    }


def counted(server: Server) -> float:
    return sum(value for (name, _), value in samples(server).items() if name == "pawl_requests_total")


def traffic(server: Server, path: str, **query: str) -> dict[str, Any]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = server.admin("GET", f"/-/api{path}/traffic?{asked}")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_an_orderly_stop_loses_nothing_and_a_restart_tells_it_all(server: Server) -> None:
    totals = traffic(server, "/models/Model")["totals"]
    assert totals["by_status"] == {"200": 10, "418": 3, "500": 2}
    assert totals["requests"] == 15
    assert 0 < totals["p50_ms"] <= totals["p95_ms"] <= totals["p99_ms"]
    assert totals["mean_ms"] > 0
    assert totals["batch_mean"] is None
    assert traffic(server, "")["totals"]["requests"] == 15


def test_versions_and_stages_are_told_apart(server: Server) -> None:
    assert traffic(server, "/models/Model/versions/v2")["totals"]["requests"] == 15
    assert traffic(server, "/models/Model", stage="version")["totals"]["by_status"] == {"200": 1}
    assert traffic(server, "/models/Model", stage="api")["totals"]["requests"] == 14
    assert traffic(server, "/models/Model", stage="canary")["totals"]["requests"] == 0
    assert traffic(server, "/models/Model/versions/v1")["totals"]["requests"] == 0


def test_what_pawl_asks_itself_is_apart_from_what_clients_ask(server: Server) -> None:
    def asked() -> int:
        found = traffic(server, "/models/Model/versions/v2", stage="test")["totals"]
        assert found["by_status"] == {"200": found["requests"]}
        return int(found["requests"])

    metrics, proofs = counted(server), asked()
    assert proofs == 2  # of two starts
    form = {"v.say": "fine"}
    answer = server.request("POST", f"{server.base}/-/models/Model/try", headers=BEARER, data=form)
    assert answer.status == 200, answer.body
    assert asked() == proofs + 1
    assert counted(server) == metrics


def test_a_version_goes_by_its_commit_too_and_older_tools_ask_elsewhere(server: Server, before: datetime) -> None:
    commit = server.post("/Model", {}).headers["x-pawl-commit"]
    asked = f"from={utc(before)}&to={utc(before + timedelta(hours=1))}&step=60"
    told = server.admin("GET", f"/-/api/models/Model/versions/v2/traffic?{asked}").json
    assert (
        server.admin("GET", f"/-/api/models/Model/versions/{commit[:9]}/traffic?{asked}").json["points"][2:]
        == (told["points"][2:])
    )
    assert server.admin("GET", f"/-/monitor/Model/v2/traffic?{asked}").json["points"][2:] == told["points"][2:]


def test_points_are_half_open_and_an_empty_one_is_zero_and_null(server: Server, before: datetime) -> None:
    day = before.replace(hour=0, minute=0, second=0, microsecond=0)
    asked = {"from": utc(day - timedelta(days=2)), "to": utc(day), "step": "1d"}
    told = traffic(server, "/models/Model", **asked)
    assert set(told) == {"from", "to", "step_s", "points", "swaps", "totals"}
    assert (told["from"], told["to"], told["step_s"]) == (asked["from"], asked["to"], 86400)
    empty = {"requests": 0, "by_status": {}} | dict.fromkeys(("p50_ms", "p95_ms", "p99_ms", "mean_ms", "batch_mean"))
    assert told["points"] == [
        {**empty, "at": utc(day - timedelta(days=2))},
        {**empty, "at": utc(day - timedelta(days=1))},
    ]
    assert told["totals"] == empty


def test_what_can_not_be_asked_for_is_refused(server: Server) -> None:
    for path, status, code in (
        ("/models/Nobody/traffic", 404, "model_not_found"),
        ("/models/Model/versions/v99/traffic", 404, "version_not_found"),
        ("/models/Model/traffic?from=yesterday", 422, "invalid_parameter"),
        ("/models/Model/traffic?step=soon", 422, "invalid_parameter"),
        ("/models/Model/traffic?stage=none", 422, "invalid_parameter"),
        ("/models/Model/traffic?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 422, "invalid_parameter"),
    ):
        server.admin("GET", f"/-/api{path}").error(status, code)
    for path in ("traffic", "models/Model/traffic", "system"):
        assert server.get(f"/-/api/{path}").status == 401


def test_the_end_of_a_time_may_be_given_alone(server: Server) -> None:
    told = server.admin("GET", "/-/api/models/Model/traffic?to=2026-01-01T00:00:00Z")
    assert told.status == 200
    assert not sum(point["requests"] for point in told.json["points"])


def test_the_system_tells_of_gateways_machine_and_database(server: Server) -> None:
    told = server.admin("GET", "/-/api/system").json
    [gateway] = told["gateways"]
    assert gateway["memory_bytes"] > 0
    assert told["ready"]
    assert told["sync_age_s"] >= 0
    assert told["memory"]["workers_bytes"] > 0
    assert told["memory"]["limit_bytes"] > told["memory"]["daemon_bytes"] > 0
    assert told["cpu"]["processors"] >= 1
    assert told["database"]["kind"] == "sqlite"
    assert told["database"]["reachable"]
    assert told["database"]["size_bytes"] > 0


def test_the_metrics_that_are_promised_are_there(server: Server) -> None:
    text = server.request("GET", f"{server.url}/metrics").body.decode()
    for name in (
        "pawl_requests_total",
        "pawl_request_duration_seconds",
        "pawl_queue_seconds",
        "pawl_batch_rows",
        "pawl_swaps_total",
        "pawl_sync_age_seconds",
        "pawl_restarts_total",
        "pawl_memory_bytes",
        "pawl_gpu_memory_bytes",
        "pawl_runs",
    ):
        assert f"# TYPE {name} " in text, name
    assert 'pawl_swaps_total{outcome="live"} 1.0' in text
    assert 'pawl_memory_bytes{model="Model",process="worker"} ' in text


def test_a_gateway_that_is_killed_takes_no_counts_along_that_were_reported(server: Server) -> None:
    reported = counted(server)
    for _ in range(5):
        server.post("/Model", {})
    server.wait(lambda: counted(server) >= reported + 5, "the counts of five answers")
    counts, history = both(server)
    [gateway] = server.admin("GET", "/-/api/system").json["gateways"]
    os.kill(gateway["pid"], signal.SIGKILL)
    server.wait(lambda: answers(server), "another gateway")
    server.wait(lambda: counted(server) > counts, "the counts of the other gateway")
    now, told = both(server)
    assert told - history == now - counts


def both(server: Server) -> tuple[float, float]:
    """What is counted, and what the history tells, of one moment."""

    def look() -> tuple[float, float] | None:
        before = counted(server)
        history = float(traffic(server, "/models/Model")["totals"]["requests"])
        return (before, history) if counted(server) == before else None

    found = server.wait(look, "a moment without news")
    assert found is not None
    return found


def answers(server: Server) -> bool:
    """Whether the model does, asked on a connection of its own."""
    try:
        return httpx.post(f"{server.base}/Model", json={}, timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def test_swaps_are_told_beside_the_points(server: Server) -> None:
    told = traffic(server, "/models/Model")["swaps"]
    assert [(swap["version"], swap["cause"]) for swap in told] == [("v2", "push")]
    assert set(told[0]) == {"at", "model", "version", "commit", "run", "cause"}


def test_the_page_of_charts_tells_what_happened_to_all_models_or_to_one(server: Server) -> None:
    def told(query: str) -> str:
        page = server.admin("GET", f"/-/monitoring{query}").body.decode()
        return page.partition('id="events-h"')[2]

    [model] = server.models()
    assert f"/-/models/{model}" in told("")
    assert f"/-/models/{model}" in told(f"?model={model}")
    assert "/-/models/" not in told("?model=another")


def test_the_page_of_charts_offers_the_stages_of_which_something_is_counted(server: Server) -> None:
    def offered(query: str = "") -> str:
        page = server.admin("GET", f"/-/monitoring{query}").body.decode()
        return page.partition('<select id="stage"')[2].partition("</select>")[0]

    assert re.findall('value="([a-z]*)"', offered()) == ["", "api", "version", "test"]
    assert '<option value="test" selected>' in offered("?stage=test")
    assert "<option selected>batch</option>" in offered("?stage=batch")
