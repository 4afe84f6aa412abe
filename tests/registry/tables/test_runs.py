from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from core.runs.records import RunRecord
from registry.registry import Registry

RUN = RunRecord(
    model="Iris",
    run="0123456789ab",
    attempt=1,
    state="rejected",
    commit="c" * 40,
    code_key="ba9876543210",
    reason="BelowTarget",
    message="accuracy is 0.8, and has to be 0.9",
    detail="ö\n",
    scores={"accuracy": 0.8, "loss": 0.1},
    compared="not better than what is live",
    artifact="a" * 64,
    params={"depth": 6, "names": ["x", None]},
    model_params={"deep": {"er": True}},
    dataset_fingerprint="f" * 40,
    queued_at=datetime(2026, 6, 21, 12, tzinfo=UTC),
    began_at=datetime(2026, 6, 21, 12, 1, tzinfo=UTC),
    ended_at=datetime(2026, 6, 21, 12, 2, tzinfo=UTC),
    peak_memory=5_000_000_000,
    cpu_seconds=1.5,
    packages={"numpy": "2.4.6"},
    started_by="push",
)


def run(number: int, state: str = "succeeded", attempt: int = 1) -> RunRecord:
    return RunRecord(model=f"Model{number % 4}", run=f"{number:012x}", attempt=attempt, state=state)


def test_a_run_comes_back_as_it_was_put(registry: Registry) -> None:
    with registry.transaction() as transaction:
        transaction.runs.put(RUN)
    with registry.transaction() as transaction:
        assert transaction.runs.one(RUN.run) == RUN
        assert transaction.runs.one("nobody") is None


def test_an_attempt_is_changed_in_its_place_and_a_run_is_told_by_its_last(registry: Registry) -> None:
    queued, running = msgspec.structs.replace(RUN, state="queued"), msgspec.structs.replace(RUN, state="running")
    second = msgspec.structs.replace(RUN, attempt=2, state="pending")
    with registry.transaction() as transaction:
        for record in (queued, running):
            transaction.runs.put(record)
        assert transaction.runs.attempts(RUN.run) == [running]
        transaction.runs.put(second)
        assert transaction.runs.one(RUN.run) == second
        assert transaction.runs.attempts(RUN.run) == [second, running]
        assert transaction.runs.listed() == ([second], None)
        assert transaction.runs.listed(state="running") == ([], None)


def test_a_score_that_is_no_number_is_null(registry: Registry) -> None:
    with registry.transaction() as transaction:
        transaction.runs.put(msgspec.structs.replace(RUN, scores={"loss": float("nan"), "most": float("inf")}))
        found = transaction.runs.one(RUN.run)
    assert found is not None
    assert found.scores == {"loss": None, "most": None}


def test_of_ten_thousand_runs_each_page_is_read_without_reading_the_others(registry: Registry) -> None:
    with registry.transaction() as transaction:
        transaction.runs.put(*(run(number, "succeeded" if number % 100 else "failed") for number in range(10_000)))
    found, cursor, pages = list[RunRecord](), None, 0
    with registry.transaction() as transaction:
        while pages == 0 or cursor is not None:
            page, cursor = transaction.runs.listed(limit=1_000, cursor=cursor)
            found += page
            pages += 1
        assert [int(record.run, 16) for record in found] == list(reversed(range(10_000)))
        assert pages == 10
        failed, _ = transaction.runs.listed(model="Model0", state="failed", limit=3)
    assert [int(record.run, 16) for record in failed] == [9_900, 9_800, 9_700]
