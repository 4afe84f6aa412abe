"""The ledger's lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.events import Actor
from server.pages.dashboard.versions.deployment_rows import deployment_row
from server.pages.facts import CommitText
from server.versions.views import DeploymentView

NOW = datetime(2026, 3, 12, 14, 30, tzinfo=UTC)
TEXT = CommitText("Round amounts to cents", "risk-team", NOW)


def deployment(cause: str, actor: Actor, reason: str = "") -> DeploymentView:
    began_at = NOW - timedelta(hours=2)
    return DeploymentView(
        version="v2",
        commit="0" * 40,
        run=None,
        release="r",
        began_at=began_at,
        ended_at=None,
        cause=cause,
        actor=actor,
        reason=reason,
    )


def test_a_push_is_told_in_the_words_of_its_commit() -> None:
    row = deployment_row(deployment("push", Actor(kind="git")), NOW, TEXT)
    assert (row.who, row.why, row.lasted) == ("risk-team, git", "Round amounts to cents", "2 h, still")


def test_what_somebody_did_is_told_in_that_ones_own_words() -> None:
    row = deployment_row(deployment("rollback", Actor(kind="key", name="ada"), "too slow"), NOW, TEXT)
    assert (row.who, row.why) == ("ada, key", "too slow")
    assert deployment_row(deployment("pin", Actor(kind="key", name="ada")), NOW, TEXT).why == ""


def test_a_push_whose_commit_is_gone_is_told_without_its_words() -> None:
    row = deployment_row(deployment("push", Actor(kind="git")), NOW)
    assert (row.who, row.why) == ("git", "")
