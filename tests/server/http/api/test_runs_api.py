"""What people see and do of training runs, over real stores."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from core.runs.states import Reason, RunState
from tests.server.http.runs import BEGAN, Runs, asking, key, result
from trainer.attempt.run_log import RunLog
from trainer.catalogue.views import RunView
from trainer.records.record_names import attempt_curve, attempt_log, result_record, retry_record

Ask = Callable[[httpx.AsyncClient], Awaitable[Any]]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "data")


def asked(runs: Runs, *requests: tuple[str, str, Any], token: str = "the-token") -> list[httpx.Response]:
    """The answers to each method, path and JSON body."""

    async def ask() -> list[httpx.Response]:
        async with asking(runs, token) as client:
            return [await client.request(method, path, json=body) for method, path, body in requests]

    return asyncio.run(ask())


def get(runs: Runs, path: str) -> httpx.Response:
    return asked(runs, ("GET", path, None))[0]


def post(runs: Runs, path: str, body: Any = None) -> httpx.Response:
    return asked(runs, ("POST", path, body))[0]


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_the_newest_run_comes_first(runs: Runs) -> None:
    for number in (2, 1, 3):
        runs.ended(number)
    runs.running(4)
    found = get(runs, "/runs").json()
    assert [run["run"] for run in found["items"]] == [key(4), key(3), key(2), key(1)]
    assert [run["state"] for run in found["items"]][:2] == ["running", "succeeded"]
    assert found["next"] is None


def test_a_run_that_the_trainer_tries_again_by_itself_is_shown_as_it_is_now(runs: Runs) -> None:
    run = runs.ended(1)
    assert get(runs, f"/runs/{run}").json()["state"] == "succeeded"
    later = BEGAN + timedelta(hours=1)
    again = RunView(run=run, model="Iris", state=RunState.RUNNING, attempts=2, queued_at=later)
    runs.records.put_once("Iris", run, retry_record(1), b"{}")
    runs.desk.views[run] = again
    assert get(runs, f"/runs/{run}").json()["state"] == "running"
    end = result(run, "Iris", state=RunState.REJECTED, attempts=2, ended_at=later + timedelta(seconds=5))
    runs.records.put_once("Iris", run, result_record(1), msgspec.json.encode(end))
    [shown] = get(runs, "/runs").json()["items"]
    assert (shown["state"], shown["attempts"]) == ("running", 2), "until the trainer has closed it"
    del runs.desk.views[run]
    assert get(runs, f"/runs/{run}").json()["state"] == "rejected"


def test_a_list_goes_on_from_its_cursor_with_none_left_out_and_none_twice(runs: Runs) -> None:
    for number in range(1, 8):
        runs.ended(number)
    found, cursor = [], ""
    while cursor is not None:
        page = get(runs, f"/runs?limit=3&cursor={cursor}").json()
        found += [run["run"] for run in page["items"]]
        cursor = page["next"]
    assert found == [key(number) for number in range(7, 0, -1)]


def test_a_list_is_of_one_model_and_of_one_state_where_that_is_asked(runs: Runs) -> None:
    runs.ended(1, "Iris", state=RunState.REJECTED, reason=Reason.BELOW_TARGET)
    runs.ended(2, "Breast.Cancer", state=RunState.REJECTED)
    runs.ended(3, "Iris")
    by_model = get(runs, "/runs?model=Breast.Cancer").json()["items"]
    by_both = get(runs, "/runs?model=Iris&state=rejected").json()["items"]
    assert ([run["run"] for run in by_model], [run["run"] for run in by_both]) == ([key(2)], [key(1)])
    assert by_both[0]["reason"] == "BelowTarget"
    assert get(runs, "/runs?model=Nobody").json() == {"items": [], "next": None}


@pytest.mark.parametrize("query", ["state=odd", "limit=0", "limit=1001", "limit=x", "cursor=x", "cursor=%00"])
def test_a_list_refuses_a_parameter_that_it_can_not_read_by_name(runs: Runs, query: str) -> None:
    answer = get(runs, f"/runs?{query}")
    assert code(answer) == (422, "invalid_parameter")
    assert answer.json()["error"]["field"] == query.partition("=")[0]


def test_a_run_that_ends_between_two_looks_is_never_missing(runs: Runs) -> None:
    view, _, _ = runs.running(1)
    assert get(runs, "/runs").json()["items"][0]["state"] == "running"
    runs.desk.end(view, state=RunState.FAILED, reason=Reason.RAISED, message="train.py, line 3: no luck")
    assert [run["reason"] for run in get(runs, "/runs").json()["items"]] == ["Raised"]
    assert runs.catalogue.counts()[RunState.FAILED] == 1


def test_a_run_that_was_superseded_before_it_began_is_told_so(runs: Runs) -> None:
    view, _, _ = runs.running(1)
    get(runs, "/runs")
    del runs.desk.views[view.run]
    assert get(runs, f"/runs/{view.run}").json()["state"] == "superseded"
    again = post(runs, f"/runs/{view.run}/retry")
    assert code(again) == (409, "run_state")
    assert "start a run of commit" in again.json()["error"]["message"]


def test_one_run_has_its_attempts_and_the_curve_that_the_last_reported(runs: Runs) -> None:
    run = key(1)
    runs.attempted(run, 1, state=RunState.FAILED, reason=Reason.DATASET, message="403", heals=True)
    runs.attempted(run, 2, state=RunState.SUCCEEDED, scores={"accuracy": 0.5})
    first = b'{"step":1,"scores":{"loss":0.7},"at":1796061246.5}\n'
    second = b'{"step":2,"scores":{"loss":0.5},"at":1e300}\n'
    runs.records.put("Iris", run, attempt_curve(2), first + second)
    runs.ended(1, attempts=2, scores={"accuracy": 0.5}, params={"depth": 6}, compared="not compared")
    found = get(runs, f"/runs/{run}").json()
    assert [(one["attempt"], one["state"], one["reason"]) for one in found["tries"]] == [
        (1, "failed", "Dataset"),
        (2, "succeeded", None),
    ]
    assert [(point["step"], point["scores"]["loss"]) for point in found["curve"]] == [(1, 0.7), (2, 0.5)]
    assert [point["at"] for point in found["curve"]] == ["2026-11-30T17:54:06.500000Z", "9999-01-01T00:00:00Z"]
    assert (found["params"], found["compared"], found["attempts"]) == ({"depth": 6}, "not compared", 2)


def test_a_run_goes_by_the_name_of_its_version_too(runs: Runs) -> None:
    runs.ended(1)
    assert get(runs, f"/runs/run-{key(1)}").json()["run"] == key(1)


def test_the_curve_of_a_run_that_goes_on_is_told_as_far_as_it_is(runs: Runs) -> None:
    view, _, progress = runs.running(1)
    progress.reach(RunState.RUNNING, "training")
    progress.report(1, 10, {"loss": 0.9})
    found = get(runs, f"/runs/{view.run}").json()
    assert (found["what"], found["step"], found["total"]) == ("training", 1, 10)
    assert [point["scores"] for point in found["curve"]] == [{"loss": 0.9}]


def test_a_run_whose_attempt_alone_is_recorded_is_being_evaluated(runs: Runs) -> None:
    runs.attempted(key(1), state=RunState.SUCCEEDED, scores={"accuracy": 1.0})
    assert get(runs, f"/runs/{key(1)}").json()["state"] == "evaluating"


def test_a_record_that_is_damaged_costs_no_other_run(runs: Runs) -> None:
    runs.ended(1)
    runs.records.put_once("Iris", key(2), "result.json", b'{"run": 1')
    assert [run["run"] for run in get(runs, "/runs").json()["items"]] == [key(1)]


@pytest.mark.parametrize("run", [key(9), "x", "..%2f..", "%00", "a" * 500])
@pytest.mark.parametrize("path", ["", "/log", "/log?follow=1", "/artifact"])
def test_a_run_that_is_not_there_is_not_found(runs: Runs, run: str, path: str) -> None:
    answer = get(runs, f"/runs/{run}{path}")
    assert answer.status_code == 404


def test_the_log_is_the_last_attempts_unless_another_is_named(runs: Runs) -> None:
    runs.ended(1, attempts=2)
    for attempt in (1, 2):
        runs.records.put("Iris", key(1), attempt_log(attempt), b"said by %d\n" % attempt)
    assert get(runs, f"/runs/{key(1)}/log").text == "said by 2\n"
    assert get(runs, f"/runs/{key(1)}/log?attempt=1").text == "said by 1\n"
    assert get(runs, f"/runs/{key(1)}/log?follow=1&offset=5").text == "by 2\n"
    assert get(runs, f"/runs/{key(1)}/log").headers["content-type"] == "text/plain; charset=utf-8"
    assert get(runs, f"/runs/{key(1)}/log?follow=x").status_code == 422


def test_the_log_of_a_run_that_goes_on_is_what_it_has_printed_so_far(runs: Runs) -> None:
    view, folder, _ = runs.running(1)
    printed = RunLog(folder / "log.txt", 4096)
    printed.write(b"so far\n")
    assert get(runs, f"/runs/{view.run}/log").text == "so far\n"
    printed.close()


def test_a_run_that_was_cancelled_during_its_first_attempt_tells_what_that_printed_and_reported(runs: Runs) -> None:
    run = runs.ended(1, state=RunState.CANCELLED, attempts=0)
    runs.attempted(run, state=RunState.CANCELLED)
    runs.records.put_once("Iris", run, attempt_log(1), b"so far\n")
    runs.records.put_once("Iris", run, attempt_curve(1), b'{"step":1,"scores":{"loss":0.5}}\n')
    assert get(runs, f"/runs/{run}/log").text == "so far\n"
    assert [point["scores"] for point in get(runs, f"/runs/{run}").json()["curve"]] == [{"loss": 0.5}]


def test_an_artifact_comes_as_a_zip_of_its_files(runs: Runs, tmp_path: Path) -> None:
    artifact = runs.artifact(tmp_path / "output", **{"model.txt": "weights", "notes.txt": "x" * 1_000_000})
    runs.ended(1, artifact=artifact)
    answer = get(runs, f"/runs/{key(1)}/artifact")
    assert answer.headers["content-disposition"].endswith(f'-run-{key(1)}.zip"')
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert {name: len(archive.read(name)) for name in archive.namelist()} == {
            "model.txt": 7,
            "notes.txt": 1_000_000,
        }
    assert list((runs.data / "runs" / ".downloads").iterdir()) == []


def test_an_artifact_that_is_gone_and_one_that_never_was_are_told_apart(runs: Runs, tmp_path: Path) -> None:
    artifact = runs.artifact(tmp_path / "output", **{"model.txt": "weights"})
    runs.ended(1, artifact=artifact)
    runs.ended(2, state=RunState.FAILED)
    runs.artifacts.delete(artifact)
    assert code(get(runs, f"/runs/{key(1)}/artifact")) == (410, "artifact_gone")
    assert code(get(runs, f"/runs/{key(2)}/artifact")) == (409, "run_state")


def test_a_run_is_started_once_and_the_second_asking_gets_the_run_that_there_is(runs: Runs) -> None:
    first, second = (post(runs, "/models/Iris/runs", {"reason": "to see"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["run"] == second.json()["run"]
    assert first.json()["state"] == "queued"
    assert post(runs, "/models/Iris/runs", {"params": {"depth": 3}}).json()["run"] != first.json()["run"]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/models/Nobody/runs", {}, (404, "model_not_found")),
        ("/models/Plain/runs", {}, (422, "not_trainable")),
        ("/models/Iris/runs", {"parms": {}}, (422, "invalid_parameter")),
        ("/models/Iris/runs", {"params": 3}, (422, "invalid_parameter")),
        ("/models/Iris/runs", {"params": {"max depth": 3}}, (422, "invalid_parameter")),
        ("/models/Iris/runs", [], (422, "invalid_parameter")),
    ],
)
def test_what_can_not_be_started_is_refused(runs: Runs, path: str, body: Any, expected: tuple[int, str]) -> None:
    answer = post(runs, path, body)
    assert code(answer) == expected
    if body:
        assert answer.json()["error"]["field"] == next(iter(body))


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"{", (400, "malformed_json")), (b"\xff", (400, "malformed_json")), (b" " * 2_000_000, (413, "body_too_large"))],
)
def test_a_body_that_can_not_be_read_is_refused(runs: Runs, content: bytes, expected: tuple[int, str]) -> None:
    async def ask() -> httpx.Response:
        async with asking(runs) as client:
            return await client.post("/models/Iris/runs", content=content)

    assert code(asyncio.run(ask())) == expected


def test_a_run_that_goes_on_is_cancelled_and_one_that_is_over_is_not(runs: Runs) -> None:
    view, _, _ = runs.running(1)
    assert post(runs, f"/runs/{view.run}/cancel", {"reason": "wrong data"}).json()["state"] == "cancelled"
    assert runs.desk.said == [("cancel", view.run, "key ADMIN_TOKEN (wrong data)")]
    assert code(post(runs, f"/runs/{view.run}/cancel")) == (409, "run_state")


def test_a_run_that_failed_is_tried_again_and_one_that_goes_on_is_not(runs: Runs) -> None:
    run = runs.ended(1, state=RunState.FAILED, reason=Reason.RAISED)
    assert post(runs, f"/runs/{run}/retry").json()["state"] == "queued"
    assert code(post(runs, f"/runs/{run}/retry")) == (409, "run_state")


def test_a_run_that_succeeded_is_tried_again_only_when_what_it_left_is_gone(runs: Runs, tmp_path: Path) -> None:
    artifact = runs.artifact(tmp_path / "output", **{"model.txt": "weights"})
    run = runs.ended(1, artifact=artifact)
    assert code(post(runs, f"/runs/{run}/retry")) == (409, "run_state")
    runs.artifacts.delete(artifact)
    assert post(runs, f"/runs/{run}/retry").status_code == 200


def test_a_rejected_run_is_accepted_with_a_reason(runs: Runs, tmp_path: Path) -> None:
    artifact = runs.artifact(tmp_path / "output", **{"model.txt": "weights"})
    run = runs.ended(1, state=RunState.REJECTED, reason=Reason.BELOW_TARGET, artifact=artifact)
    refused = post(runs, f"/runs/{run}/accept")
    assert (code(refused), refused.json()["error"]["field"]) == ((422, "invalid_parameter"), "reason")
    taken = post(runs, f"/runs/{run}/accept", {"reason": "the target was a typing error"}).json()
    assert (taken["state"], taken["accepted"]) == ("succeeded", True)
    assert code(post(runs, f"/runs/{run}/accept", {"reason": "again"})) == (409, "run_state")


def test_a_run_with_params_of_its_own_says_that_it_is_not_live(runs: Runs) -> None:
    own = runs.ended(1, state=RunState.SUCCEEDED, own=True, message="accepted by Ann")
    plain = runs.ended(2, state=RunState.SUCCEEDED)
    failed = runs.ended(3, state=RunState.FAILED, own=True, message="it raised")
    [told, usual, not_good] = [get(runs, f"/runs/{run}").json() for run in (own, plain, failed)]
    assert told["own"]
    assert told["message"].startswith("accepted by Ann; not live by itself, for it was asked for with parameters")
    assert told["message"].endswith(f"pin run-{own}")
    assert (usual["own"], usual["message"]) == (False, "")
    assert (not_good["own"], not_good["message"]) == (True, "it raised")


def test_a_rejected_run_is_not_accepted_once_what_it_left_is_gone(runs: Runs) -> None:
    run = runs.ended(1, state=RunState.REJECTED, artifact="0" * 32)
    assert code(post(runs, f"/runs/{run}/accept", {"reason": "it will do"})) == (410, "artifact_gone")


def test_without_the_token_nobody_reads_or_changes_anything(runs: Runs) -> None:
    runs.ended(1)
    paths = ["/runs", *(f"/runs/{key(1)}{path}" for path in ("", "/log", "/artifact"))]
    changes = ["/models/Iris/runs", *(f"/runs/{key(1)}/{verb}" for verb in ("cancel", "retry", "accept"))]
    requests = [*(("GET", path, None) for path in paths), *(("POST", path, {}) for path in changes)]
    for token in ("", "wrong"):
        assert {code(answer) for answer in asked(runs, *requests, token=token)} == {(401, "key_required")}


def test_a_store_that_is_away_is_told_and_what_is_known_goes_on(runs: Runs) -> None:
    runs.ended(1)
    assert len(get(runs, "/runs").json()["items"]) == 1
    (runs.data / "artifacts").rename(runs.data / "away")
    assert len(get(runs, "/runs").json()["items"]) == 1
    assert code(get(runs, f"/runs/{key(1)}/log")) == (503, "store_unavailable")
    assert code(get(runs, f"/runs/{key(1)}")) == (503, "store_unavailable")
