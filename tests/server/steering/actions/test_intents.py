"""What actions write, in a real registry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.decisions import Decisions, Rejected
from core.events import EventKind
from core.release import Served
from registry.registry import Registry
from server.steering.actions.actions import Action, new_action
from server.steering.actions.errors import ModelPinned
from server.steering.actions.intents import Intent, NotToPin, NotToRollBack, ToPin, ToRollBack, ToUnpin
from server.steering.decisions.decided import Decided, Named
from server.steering.decisions.rows import Rows
from tests.server.steering.releases import ADA, served


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(f"sqlite:///{tmp_path / 'registry.db'}")
    yield registry
    registry.close()


def asked(action: str = "pin") -> Action:
    return new_action(action, "M", ADA, "because")


def done(registry: Registry, intent: Intent) -> tuple[list[EventKind], Rows]:
    """The kinds of the events that it wrote, and what is decided by then."""
    with registry.transaction() as transaction:
        events = intent.act(transaction)
        transaction.events.append(events)
    return [event.kind for event in events], intent.rows


def decided(rows: Rows, *known: Served) -> Decisions:
    found = {one.release.id: one for one in known}
    decided = Decided(lambda named: found.get(named.release))
    decided.take(rows)
    decided.look_for()
    return decided.over(Decisions())


def test_a_withdrawn_pin_leaves_the_one_before_and_nothing_of_a_later_one(registry: Registry) -> None:
    first, second = ToPin(asked(), served=served(1)), ToPin(asked(), served=served(2))
    done(registry, first)
    assert done(registry, second)[0] == [EventKind.PINNED]
    kinds, rows = done(registry, NotToPin(second.action, pinned=second, why="failed"))
    assert (kinds, rows.pins["M"].version) == ([EventKind.PINNED], "v1")
    again = NotToPin(second.action, pinned=second, why="failed")
    assert done(registry, again)[0] == []
    assert not again.is_done, "somebody has pinned something else meanwhile"
    assert done(registry, NotToPin(first.action, pinned=first, why="failed"))[0] == [EventKind.UNPINNED]
    assert done(registry, ToUnpin(asked("unpin")))[0] == []


def test_a_pinned_model_is_not_rolled_back_whoever_pinned_it_meanwhile(registry: Registry) -> None:
    done(registry, ToPin(asked(), served=served(2)))
    with pytest.raises(ModelPinned, match="pinned at v2"):
        done(registry, ToRollBack(asked("rollback"), live=served(2), to=served(1)))


def test_a_rollback_between_two_artifacts_of_one_revision_rejects_the_newer_run_too(registry: Registry) -> None:
    newer, older = served(1, run=2), served(1, run=1)
    kinds, rows = done(registry, ToRollBack(asked("rollback"), live=newer, to=older))
    assert kinds == [EventKind.REJECTED, EventKind.ROLLED_BACK]
    found = decided(rows, older)
    assert found.rejections is not None
    assert (found.rejections["M"].releases, found.rejections["M"].runs) == ({newer.release.id}, {"run2"})
    assert found.targets == {"M": older}


def test_a_rollback_between_two_revisions_rejects_the_release_alone(registry: Registry) -> None:
    _, rows = done(registry, ToRollBack(asked("rollback"), live=served(2, run=1), to=served(1, run=1)))
    found = decided(rows)
    assert found.rejections is not None
    assert found.rejections["M"].runs == frozenset()
    assert found.targets == {}, "it can be found nowhere"


def test_a_withdrawn_rollback_leaves_the_rejections_of_before(registry: Registry) -> None:
    done(registry, ToRollBack(asked("rollback"), live=served(2), to=served(1)))
    back = ToRollBack(asked("rollback"), live=served(1), to=served(2))
    _, rows = done(registry, back)
    assert [one.version for one in rows.rejections] == ["v1"], "what is named is accepted"
    kinds, rows = done(registry, NotToRollBack(back.action, rolled_back=back, why="failed"))
    assert kinds == [EventKind.ACCEPTED]
    assert [(one.version, one.to_version) for one in rows.rejections] == [("v2", "v1")]


def test_a_pin_is_decided_with_its_release_or_as_missing(registry: Registry) -> None:
    _, rows = done(registry, ToPin(asked(), served=served(1)))
    assert decided(rows, served(1)).pins == {"M": served(1)}
    missing = decided(rows)
    assert (missing.pins, missing.missing) == ({}, {"M": served(1).version})


def test_what_could_not_be_found_is_looked_for_again() -> None:
    asked_for: list[Named] = []
    decided = Decided(lambda named: asked_for.append(named))  # type: ignore[func-returns-value]
    decided.take(replace(Rows(), pins={"M": ToPin(asked(), served=served(1)).pin}))
    decided.look_for()
    decided.look_for()
    assert len(asked_for) == 2


def test_a_registry_that_was_begun_anew_is_told_which_rejected_release_was_pinned_since(registry: Registry) -> None:
    rejected = Rejected(
        frozenset({served(2).release.id, served(3).release.id}), pinned=frozenset({served(2).release.id})
    )
    intent = ToUnpin(asked("unpin"))
    intent.kept = Decisions(rejections={"M": rejected}, targets={"M": served(1)})
    _, rows = done(registry, intent)
    found = decided(rows, served(1))
    assert (found.rejections, found.targets) == ({"M": rejected}, {"M": served(1)})
