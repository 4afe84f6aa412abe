from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import Heals, ReleaseFailed
from core.events import BY_PUSH
from core.manifest.manifest import Manifest
from core.release import Artifact, Choice, Release, Revision, Version, Wanted
from loader.controller.decision import (
    TRIES,
    Attempt,
    Failure,
    Refuse,
    Rename,
    Retire,
    State,
    Wait,
    Withhold,
    actor_of,
    decide,
    failure_key,
    pause_after,
)


def wanted(id: str = "a", number: int = 1) -> Wanted:
    return Wanted("M", Version(number, "c"), Release(Revision("M", id, Manifest(), {"M": "t"})))


def refused(message: str = "no class") -> Wanted:
    return Wanted("M", Version(1, "c"), None, ReleaseFailed(message, stage="manifest"))


def failed(key: str = "a", *, heals: Heals = Heals.MAYBE, tries: int = 1, was_live: bool = False) -> Failure:
    return Failure(key, ReleaseFailed("no", stage="load", heals=heals), tries, at=100.0, was_live=was_live)


def test_a_new_release_is_attempted() -> None:
    assert decide(State(wanted()), 0) == Attempt(wanted())
    assert decide(State(wanted("b"), live=("a", Version(1, "c"))), 0) == Attempt(wanted("b"))


def test_what_is_live_as_wanted_is_left_alone() -> None:
    assert decide(State(wanted("a", 1), live=("a", Version(1, "c"))), 0) == Wait()


def test_a_live_release_under_a_new_version_is_only_renamed() -> None:
    assert decide(State(wanted("a", 2), live=("a", Version(1, "c"))), 0) == Rename(Version(2, "c"))


def test_a_model_whose_folder_has_gone_is_retired_whatever_else_holds() -> None:
    assert decide(State(None, live=("a", Version(1, "c")), failure=failed()), 0) == Retire()


def test_a_folder_that_makes_no_release_is_refused_once() -> None:
    first = decide(State(refused()), 0)
    assert isinstance(first, Refuse)
    again = State(refused(), failure=Failure(failure_key(refused()), first.error, 1, 0))
    assert decide(again, 1e9) == Wait()
    assert isinstance(decide(replace(again, wanted=refused("another reason")), 0), Refuse)


def test_what_cannot_heal_is_not_tried_again() -> None:
    assert decide(State(wanted(), failure=failed(heals=Heals.NEVER)), 1e9) == Wait()


def test_what_may_heal_is_tried_again_after_a_pause() -> None:
    action = decide(State(wanted(), failure=failed()), 100.5)
    assert isinstance(action, Wait)
    assert action.seconds is not None
    assert 0 < action.seconds <= 2
    assert decide(State(wanted(), failure=failed()), 100.5 + action.seconds) == Attempt(wanted())


def test_what_may_heal_is_given_up_after_three_tries() -> None:
    assert decide(State(wanted(), failure=failed(tries=TRIES - 1)), 1e9) == Attempt(wanted())
    assert decide(State(wanted(), failure=failed(tries=TRIES)), 1e9) == Wait()


@pytest.mark.parametrize("heals", Heals)
def test_what_was_live_once_is_never_given_up_on(heals: Heals) -> None:
    stubborn = failed(heals=heals, tries=50, was_live=True)
    assert decide(State(wanted(), failure=stubborn), 1e9) == Attempt(wanted())


def test_what_the_machine_lacks_is_tried_for_as_long_as_it_is_wanted_ever_more_rarely() -> None:
    pauses = [pause_after(failed(heals=Heals.WITH_MACHINE, tries=tries)) for tries in range(1, 10)]
    assert pauses == [2, 10, 30, 60, 120, 300, 600, 600, 600]
    assert decide(State(wanted(), failure=failed(heals=Heals.WITH_MACHINE, tries=99)), 100 + 600) == Attempt(wanted())


def test_another_release_is_attempted_at_once_after_a_failure() -> None:
    assert decide(State(wanted("b"), failure=failed("a", heals=Heals.NEVER)), 0) == Attempt(wanted("b"))


def test_going_back_to_what_is_live_after_a_failed_push_does_nothing_but_rename() -> None:
    state = State(wanted("a", 3), live=("a", Version(1, "c")), failure=failed("b"))
    assert decide(state, 0) == Rename(Version(3, "c"))


def test_the_pause_is_known_beforehand_and_none_where_no_try_follows() -> None:
    assert [pause_after(failed(tries=tries)) for tries in range(1, TRIES + 1)] == [2, 10, None]
    assert pause_after(failed(heals=Heals.NEVER)) is None
    assert pause_after(failed(heals=Heals.NEVER, tries=99, was_live=True)) == 60


def untrained(run: str | None = None) -> Wanted:
    return Wanted("M", Version(1, "c"), None, choice=Choice.UNTRAINED, run=run)


def test_what_waits_for_its_first_artifact_is_withheld_and_told_anew_when_its_run_moves_on() -> None:
    assert decide(State(untrained()), 0) == Withhold(untrained())
    assert decide(State(untrained(), withheld=untrained().withheld), 0) == Wait()
    assert decide(State(untrained("running"), withheld=untrained().withheld), 0) == Withhold(untrained("running"))
    assert decide(State(untrained(), live=("a", Version(1, "c"))), 0) == Withhold(untrained())


def test_another_run_that_left_the_same_files_is_another_name() -> None:
    revision = Revision("M", "a", Manifest(), {"M": "t"})
    want = Wanted("M", Version(1, "c"), Release(revision, Artifact("x", "new")))
    assert want.release is not None
    live = want.release.id, Version(1, "c")
    assert decide(State(want, live, run="old"), 0) == Rename(Version(1, "c"), "new")
    assert decide(State(want, live, run="new"), 0) == Wait()


def test_only_what_a_push_brought_is_put_down_to_git() -> None:
    assert actor_of(wanted("a"), ()) == BY_PUSH
    assert actor_of(refused(), ()) == BY_PUSH
    assert actor_of(wanted("a"), {"a"}) is None
    assert actor_of(replace(wanted("a"), choice=Choice.PINNED), ()) is None
    trained = Release(Revision("M", "a", Manifest(), {"M": "t"}), Artifact("b", "0123456789ab"))
    assert actor_of(replace(wanted("a"), release=trained), ()) is None
