from __future__ import annotations

from datetime import UTC, datetime

from core.steering import Cause, Pin, Rejection
from server.steering.decisions.rows import Rows
from server.steering.ledger.causes import Before, Why, cause_of
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
    assert cause_of(served(2, run=1), before(served(1, run=1)), None, None, None).cause is Cause.PUSH
