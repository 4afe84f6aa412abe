from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.version_states import Role, VersionState
from loader.releases.proofs import Broken, Proof
from server.state import ModelFailure
from server.versions.version_status import ModelSituation, OnItsWay, VersionStatus, of_release, of_untrained

NAMED = "v2", "c" * 40
FAILURE = ModelFailure(version="v2", commit="c" * 40, stage="load", message="no", detail="", tries=3)
FAILED = Proof(at=datetime(2026, 6, 21, tzinfo=UTC), failure=Broken(stage="examples", message="wrong"))


def status(situation: ModelSituation, proof: Proof | None = None) -> VersionStatus:
    return of_release("r", situation, proof, NAMED)


@pytest.mark.parametrize(
    ("situation", "state", "role"),
    [
        (ModelSituation(), VersionState.RETIRED, None),
        (ModelSituation(head="r"), VersionState.PENDING, None),
        (ModelSituation(wanted="r"), VersionState.PENDING, None),
        (ModelSituation(live="r", head="r"), VersionState.READY, Role.LIVE),
        (ModelSituation(on_demand=frozenset({"r"}), head="s"), VersionState.READY, Role.ON_DEMAND),
        (ModelSituation(live="s", rejected=frozenset({"r"}), head="r"), VersionState.REJECTED, None),
        (ModelSituation(live="r", rejected=frozenset({"r"})), VersionState.REJECTED, Role.LIVE),
        (ModelSituation(wanted="r", way=OnItsWay("r", "check_out", {})), VersionState.BUILDING, None),
        (ModelSituation(wanted="r", way=OnItsWay("r", "environment", {})), VersionState.BUILDING, None),
        (ModelSituation(wanted="r", way=OnItsWay("r", "start", {})), VersionState.STARTING, None),
        (ModelSituation(wanted="r", way=OnItsWay("r", "prove", {})), VersionState.PROVING, None),
        (ModelSituation(wanted="r", way=OnItsWay("r", "swap", {})), VersionState.PROVING, None),
        (ModelSituation(wanted="r", way=OnItsWay("s", "swap", {})), VersionState.PENDING, None),
        (ModelSituation(wanted="r", failed="r", failure=FAILURE), VersionState.FAILED, None),
        (ModelSituation(wanted="r", failed="s", failure=FAILURE), VersionState.PENDING, None),
    ],
)
def test_a_release_stands_as_the_model_does(situation: ModelSituation, state: VersionState, role: Role | None) -> None:
    assert (status(situation).state, status(situation).role) == (state, role)


def test_one_that_failed_before_a_restart_has_still_failed_until_it_runs() -> None:
    found = status(ModelSituation(), FAILED)
    assert (found.state, found.failure) == (
        VersionState.FAILED,
        ModelFailure(version="v2", commit="c" * 40, stage="examples", message="wrong", detail="", tries=1),
    )
    assert status(ModelSituation(live="r"), FAILED).failure is None
    assert status(ModelSituation(failed="r", failure=FAILURE), FAILED).failure == FAILURE


def test_steps_are_those_of_now_and_else_of_the_last_start() -> None:
    proof = replace_seconds({"start": 2.0})
    way = OnItsWay("r", "environment", {"fetch": 0.1})
    assert status(ModelSituation(wanted="r", way=way), proof).steps == {"fetch": 0.1}
    assert status(ModelSituation(wanted="r", way=way), proof).step == "environment"
    assert status(ModelSituation(wanted="r", way=replace(way, release="s")), proof).steps == {"start": 2.0}


def replace_seconds(seconds: dict[str, float]) -> Proof:
    return Proof(at=FAILED.at, seconds=seconds)


@pytest.mark.parametrize(
    ("run", "state"),
    [
        ("running", VersionState.TRAINING),
        ("queued", VersionState.TRAINING),
        ("failed", VersionState.FAILED),
        ("rejected", VersionState.FAILED),
        (None, VersionState.PENDING),
    ],
)
def test_what_was_never_trained_stands_as_its_run_does(run: str | None, state: VersionState) -> None:
    assert of_untrained("c", ModelSituation(head="c"), run, NAMED).state == state


def test_what_was_never_trained_and_is_not_wanted_is_retired() -> None:
    assert of_untrained("c", ModelSituation(head="d"), None, NAMED).state == VersionState.RETIRED
