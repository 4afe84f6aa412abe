from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from core.runs.runs import AttemptResult, RunResult
from core.runs.states import RunState
from trainer.plan import (
    Action,
    Close,
    Conclude,
    Judge,
    MarkLost,
    OpenRun,
    Recorded,
    Running,
    Start,
    Stop,
    Supersede,
    plan,
    state_of,
)

NOW = 1_000_000.0


def attempt(number: int, state: RunState, heals: bool = False, ended: float = 0.0) -> AttemptResult:
    at = datetime.fromtimestamp(ended, UTC)
    return AttemptResult(run="r", attempt=number, model="M", state=state, heals=heals, ended_at=at)


def result(state: RunState) -> RunResult:
    return RunResult(run="r", model="M", state=state)


def recorded(*attempts: AttemptResult, **fields: Any) -> Recorded:
    return Recorded({one.attempt: one for one in attempts}, **fields)


def decided(
    run: OpenRun, running: Running | None = None, recorded: Recorded | None = None, newer: OpenRun | None = None
) -> tuple[Action, ...]:
    runs = [run] if newer is None else [run, newer]
    alive: Mapping[str, Running] = {} if running is None else {run.key: running}
    found = plan(runs, alive, {} if recorded is None else {run.key: recorded}, 5, NOW)
    return tuple(action for action in found if action.key == run.key)


RUN = OpenRun("r", "M", retries=1)
OLD = OpenRun("r", "M", wanted=False)
LOST = attempt(1, RunState.LOST, heals=True)


def test_what_is_wanted_and_has_never_run_is_started() -> None:
    assert decided(RUN) == (Start("r", 1),)


def test_what_runs_is_let_run() -> None:
    assert decided(RUN, Running(1), Recorded(begun=1)) == ()


@pytest.mark.parametrize("state", [state for state in RunState if state.is_terminal])
def test_a_run_that_has_ended_never_runs_again_by_itself(state: RunState) -> None:
    assert decided(RUN, None, Recorded(result=result(state))) == (Close("r"),)


def test_what_runs_of_a_run_that_has_ended_is_stopped_once() -> None:
    over = Recorded(result=result(RunState.CANCELLED), begun=1)
    assert decided(RUN, Running(1), over) == (Stop("r", 1, RunState.CANCELLED),)
    assert decided(RUN, Running(1, RunState.CANCELLED), over) == ()


def test_what_has_trained_is_judged() -> None:
    assert decided(RUN, None, recorded(attempt(1, RunState.SUCCEEDED), begun=1)) == (Judge("r", 1),)


def test_what_has_trained_is_judged_though_its_process_has_yet_to_end() -> None:
    assert decided(RUN, Running(1), recorded(attempt(1, RunState.SUCCEEDED), begun=1)) == (Judge("r", 1),)


def test_what_has_gone_without_a_record_is_lost() -> None:
    assert decided(RUN, None, Recorded(begun=1)) == (MarkLost("r", 1),)


def test_what_heals_is_tried_again_until_no_retries_are_left() -> None:
    assert decided(RUN, None, recorded(LOST, begun=1)) == (Start("r", 2),)
    twice = recorded(LOST, attempt(2, RunState.LOST, heals=True), begun=2)
    assert decided(RUN, None, twice) == (Conclude("r", 2, RunState.LOST),)


def test_what_does_not_heal_is_not_tried_again() -> None:
    assert decided(RUN, None, recorded(attempt(1, RunState.FAILED), begun=1)) == (Conclude("r", 1, RunState.FAILED),)


def test_a_retry_waits_a_moment() -> None:
    assert decided(RUN, None, recorded(attempt(1, RunState.FAILED, heals=True, ended=NOW - 0.5), begun=1)) == ()


def test_attempts_that_we_ended_ourselves_use_up_no_retries() -> None:
    ours = [attempt(number, RunState.SUPERSEDED) for number in (1, 2, 3)]
    assert decided(RUN, None, recorded(*ours, begun=3)) == (Start("r", 4),)
    lost = recorded(*ours, attempt(4, RunState.LOST, heals=True), begun=4)
    assert decided(RUN, None, lost) == (Start("r", 5),)


def test_a_person_s_retry_is_a_new_attempt_with_retries_of_its_own() -> None:
    failed = attempt(1, RunState.FAILED)
    assert decided(RUN, None, recorded(failed, retried_after=1, begun=1)) == (Start("r", 2),)
    lost = attempt(2, RunState.LOST, heals=True)
    assert decided(RUN, None, recorded(failed, lost, retried_after=1, begun=2)) == (Start("r", 3),)


def test_a_process_that_was_given_up_is_ended_before_another_attempt() -> None:
    assert decided(RUN, Running(1), recorded(LOST, begun=1)) == (Stop("r", 1, RunState.CANCELLED),)


NEWER = {policy: OpenRun("s", "M", supersede=policy) for policy in ("queued", "running", "none")}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("policy", "queued", "running"),
    [
        ("queued", (Supersede("r"),), ()),
        ("running", (Supersede("r"),), (Stop("r", 1, RunState.SUPERSEDED),)),
        ("none", (Start("r", 1),), ()),
    ],
)
def test_a_newer_commit_ends_what_it_says(policy: str, queued: tuple[Action, ...], running: tuple[Action, ...]) -> None:
    assert decided(OLD, newer=NEWER[policy]) == queued
    assert decided(OLD, Running(1), Recorded(begun=1), newer=NEWER[policy]) == running


def test_what_was_superseded_runs_again_when_it_is_wanted_again() -> None:
    assert decided(RUN, None, recorded(attempt(1, RunState.SUPERSEDED), begun=1)) == (Start("r", 2),)


def test_what_was_lost_is_not_tried_again_once_nobody_wants_it() -> None:
    assert decided(OLD, None, recorded(LOST, begun=1)) == (Supersede("r"),)


def test_what_has_trained_is_judged_though_nobody_wants_it_any_more() -> None:
    assert decided(OLD, None, recorded(attempt(1, RunState.SUCCEEDED), begun=1)) == (Judge("r", 1),)


def test_the_queue_goes_by_priority_then_by_age() -> None:
    runs = [
        OpenRun("late", "A", queued_at=2),
        OpenRun("early", "B", queued_at=1),
        OpenRun("urgent", "C", priority=1, queued_at=3),
    ]
    assert plan(runs, {}, {}, 2, NOW) == (Start("urgent", 1), Start("early", 1))
    assert plan(runs, {"urgent": Running(1)}, {"urgent": Recorded(begun=1)}, 2, NOW) == (Start("early", 1),)
    assert plan(runs, {"early": Running(1), "urgent": Running(1)}, {}, 2, NOW) == ()


@pytest.mark.parametrize(
    ("run", "running", "known", "state"),
    [
        (RUN, None, Recorded(), RunState.QUEUED),
        (OLD, None, Recorded(), RunState.SUPERSEDED),
        (RUN, Running(1), Recorded(begun=1), RunState.RUNNING),
        (RUN, Running(1, RunState.CANCELLED), Recorded(begun=1), RunState.CANCELLED),
        (RUN, None, recorded(attempt(1, RunState.SUCCEEDED)), RunState.EVALUATING),
        (RUN, None, recorded(LOST), RunState.QUEUED),
        (RUN, None, Recorded(result=result(RunState.REJECTED)), RunState.REJECTED),
    ],
)
def test_a_run_has_one_state(run: OpenRun, running: Running | None, known: Recorded, state: RunState) -> None:
    assert state_of(run, running, known, RunState.RUNNING) is state
