from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.events import BY_ITSELF, BY_PUSH, Actor
from core.release import Artifact, Release, Served
from core.steering import Cause, Deployment, Pin, Rejection
from server.steering.decisions.rows import Rows
from server.steering.ledger.causes import Before, Why, after_entry, cause_of
from tests.server.steering.releases import ADA, served

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
ONE, TWO = served(1), served(2)


def before(one: object = ONE) -> Before:
    return Before(one, NOON)  # type: ignore[arg-type]


def test_a_release_that_was_live_before_the_start_is_there_by_the_restart() -> None:
    assert cause_of(ONE, None, ONE, None, None).cause is Cause.RESTART
    assert cause_of(TWO, None, ONE, None, None).cause is Cause.PUSH
    assert cause_of(ONE, before(TWO), ONE, None, None).cause is Cause.PUSH, "it went away and came back"


def test_a_pinned_release_is_put_down_to_who_pinned_it() -> None:
    rows = Rows({"M": Pin(model="M", release=TWO.release.id, actor=ADA, reason="it works")})
    assert cause_of(TWO, before(), None, rows, None) == Why(Cause.PIN, ADA, "it works")
    assert cause_of(ONE, before(TWO), None, rows, None).cause is Cause.PUSH


def test_what_follows_a_rejected_release_is_put_down_to_the_rollback_that_went_there() -> None:
    rejected = Rejection(model="M", release=TWO.release.id, to_release=ONE.release.id, actor=ADA, reason="slow")
    rows = Rows(rejections=(rejected,))
    assert cause_of(ONE, before(TWO), None, rows, None) == Why(Cause.ROLLBACK, ADA, "slow")
    assert cause_of(ONE, None, TWO, rows, None).cause is Cause.ROLLBACK, "also after a restart in the middle of it"
    assert cause_of(served(3), before(TWO), None, rows, None).cause is Cause.PUSH


def test_what_follows_a_lifted_pin_is_put_down_to_who_lifted_it() -> None:
    lifted = Why(Cause.UNPIN, ADA, "it is over")
    assert cause_of(TWO, before(), None, None, lifted) == lifted


def test_a_lift_is_the_cause_although_a_rollback_went_the_same_way_once() -> None:
    rejected = Rejection(model="M", release=TWO.release.id, to_release=ONE.release.id, actor=ADA, reason="slow")
    lifted = Why(Cause.UNPIN, ADA, "it is over")
    assert cause_of(ONE, before(TWO), None, Rows(rejections=(rejected,)), lifted) == lifted


def test_what_was_asked_for_is_put_down_to_who_asked_although_another_pin_holds_by_now() -> None:
    rows = Rows({"M": Pin(model="M", release=TWO.release.id, actor=ADA, reason="the next")})
    asked = Why(Cause.PIN, ADA, "the first")
    assert cause_of(ONE, before(served(3)), None, rows, None, asked) == asked
    assert cause_of(TWO, before(ONE), None, rows, None).reason == "the next"


def test_another_artifact_went_live_by_training_and_the_same_one_by_a_push() -> None:
    assert cause_of(served(1, run=2), before(served(1, run=1)), None, None, None).cause is Cause.TRAIN
    assert cause_of(served(1, run=1), None, None, None, None).cause is Cause.TRAIN
    same = Artifact("left by both", "2" * 12)
    both = [
        Served(Release(served(1).release.revision, one), served(1).version) for one in (same, replace(same, run="3"))
    ]
    assert cause_of(both[1], before(both[0]), None, None, None).cause is Cause.TRAIN
    assert cause_of(served(2, run=1), before(served(1, run=1)), None, None, None).cause is Cause.PUSH


def entry(release: Served, cause: Cause = Cause.PUSH, actor: Actor = BY_PUSH) -> Deployment:
    found, version = release
    return Deployment(model="M", release=found.id, version=version.label, run=found.run or "", cause=cause, actor=actor)


FIRST, RETRAINED, PUSHED = served(1, run=1), served(1, run=2), served(2, run=2)


@pytest.mark.parametrize(
    ("ledger", "seen", "cause"),
    [
        ([FIRST, RETRAINED], RETRAINED, Cause.PUSH),
        ([FIRST, RETRAINED], FIRST, Cause.PUSH),  # by a server that was down meanwhile
        ([FIRST], FIRST, Cause.TRAIN),
        ([FIRST, served(2, run=1)], FIRST, Cause.TRAIN),
        ([FIRST, served(2, run=1)], RETRAINED, Cause.TRAIN),
        ([], FIRST, Cause.TRAIN),
    ],
)
def test_whether_a_push_or_a_run_brought_it_is_told_by_the_ledger_whoever_tells_it(
    ledger: list[Served], seen: Served, cause: Cause
) -> None:
    why = cause_of(PUSHED, before(seen), None, None, None)
    told = entry(PUSHED, why.cause, why.actor or BY_PUSH)
    found = after_entry(told, seen.release.id, entry(ledger[-1]) if ledger else None)
    assert (found.cause, found.actor) == (cause, BY_PUSH if cause is Cause.PUSH else BY_ITSELF)


def test_what_a_person_did_and_what_is_live_already_is_told_as_it_is() -> None:
    for told in (
        entry(PUSHED, Cause.PUSH, ADA),
        entry(PUSHED, Cause.PIN, ADA),
        entry(PUSHED, Cause.RESTART, BY_ITSELF),
    ):
        assert after_entry(told, FIRST.release.id, entry(RETRAINED)) == told
    same = entry(PUSHED, Cause.TRAIN, BY_ITSELF)
    assert after_entry(same, FIRST.release.id, entry(PUSHED)) == same
