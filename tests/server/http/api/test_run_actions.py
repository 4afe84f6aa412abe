"""What is written down of what people ask of runs, and when."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.errors import NotTrainable, PawlError, StoreUnavailable
from core.events import Actor, Event, EventKind
from core.runs.states import RunState
from server.http.api.run_actions import RunActions
from tests.server.http.runs import Runs, key
from trainer.catalogue.wishes import Asked

ADA = Actor(kind="key", name="ada")


class Written:
    """What people did, as it is written down, and what came of it."""

    def __init__(self, runs: Runs) -> None:
        self.events: list[Event] = []
        self.runs_then: list[int] = []
        """How many runs were open at each."""
        self.actions = RunActions(runs.catalogue, self._tell, self.events.append)
        self._runs = runs

    async def _tell(self, event: Event) -> None:
        self.events.append(event)
        self.runs_then.append(len(self._runs.desk.views))

    @property
    def said(self) -> list[tuple[str, str]]:
        return [(event.kind, event.message) for event in self.events]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "data")


def test_a_run_that_is_refused_leaves_no_event_and_one_that_begins_is_told_before_it_does(runs: Runs) -> None:
    async def test() -> None:
        written = Written(runs)
        with pytest.raises(NotTrainable):
            await written.actions.start("Plain", Asked(), ADA)
        assert written.said == []
        view, is_new = await written.actions.start("Iris", Asked(reason="new data"), ADA)
        assert (is_new, written.runs_then) == (True, [0])
        assert written.said == [(EventKind.RUN_QUEUED, f"run {view.run} was asked for")]
        assert (written.events[0].actor, written.events[0].reason) == (ADA, "new data")
        again, is_new = await written.actions.start("Iris", Asked(), ADA)
        assert (again.run, is_new, len(written.events)) == (view.run, False, 1), "there is nothing to begin"

    asyncio.run(test())


@pytest.mark.parametrize(
    ("what", "kind", "asked", "refused"),
    [
        ("start", EventKind.RUN_QUEUED, "was asked for", "was not queued"),
        ("cancel", EventKind.RUN_ENDED, "was asked to be cancelled", "was not cancelled"),
        ("retry", EventKind.RUN_QUEUED, "was asked to be tried again", "is not tried again"),
        ("accept", EventKind.ACCEPTED, "was asked to be accepted", "was not accepted"),
    ],
)
def test_what_can_not_be_done_after_it_was_written_down_is_told_as_not_done(
    runs: Runs, tmp_path: Path, what: str, kind: EventKind, asked: str, refused: str
) -> None:
    async def test() -> None:
        written = Written(runs)
        run = key(1)
        if what == "cancel":
            runs.running(1)
        elif what == "retry":
            runs.ended(1, state=RunState.FAILED)
        elif what == "accept":
            runs.ended(1, state=RunState.REJECTED, artifact=runs.artifact(tmp_path / "left", a="b"))
        else:
            run = key(0xA)
        runs.desk.trouble = StoreUnavailable("the disk is full")
        doing = {"start": ("Iris", Asked(), ADA)}.get(what, (run, ADA, "why"))
        with pytest.raises(PawlError):
            await getattr(written.actions, what)(*doing)
        assert written.said == [(kind, f"run {run} {asked}"), (kind, f"run {run} {refused}: the disk is full")]
        assert {event.model for event in written.events} == {"Iris"}
        assert all(event.is_audit for event in written.events), "both are kept as long"

    asyncio.run(test())
