from __future__ import annotations

import pytest

from core.errors import Heals, ReleaseFailed
from core.events import Event, EventKind
from core.release import Version
from loader.controller.decision import TRIES, Failure
from loader.controller.event_texts import EventTexts
from loader.workers.report import Happening, Report


@pytest.mark.parametrize(
    ("heals", "tries", "told"),
    [
        (Heals.NEVER, 1, "v2 failed at load: no (nothing is live yet)"),
        (Heals.MAYBE, 1, "v2 failed at load: no (nothing is live yet; next try in 2 s)"),
        (Heals.MAYBE, 2, "v2 failed again (try 2) at load: no (nothing is live yet; next try in 10 s)"),
        (
            Heals.MAYBE,
            TRIES,
            f"v2 failed again (try {TRIES}) at load: no (nothing is live yet; not tried again until it changes)",
        ),
        (Heals.WITH_MACHINE, 9, "v2 failed again (try 9) at load: no (nothing is live yet; next try in 600 s)"),
    ],
)
def test_a_failure_says_what_comes_next(heals: Heals, tries: int, told: str) -> None:
    events: list[Event] = []
    error = ReleaseFailed("no", stage="load", detail="a traceback", heals=heals)
    failure = Failure("key", error, tries, 0.0, version=Version(2, "f" * 40))
    EventTexts("Model", events.append).failed(failure, None, None)
    [event] = events
    assert (event.kind, event.model, event.message, event.detail) == (EventKind.FAILED, "Model", told, "a traceback")
    assert (event.version, event.commit) == ("v2", "f" * 40)


@pytest.mark.parametrize("happening", Happening)
def test_whatever_a_pool_reports_becomes_an_event_of_its_kind(happening: Happening) -> None:
    events: list[Event] = []
    EventTexts("Model", events.append).reported(Report(happening, "what", "where"), None)
    [event] = events
    assert (event.kind.value, event.message, event.version, event.detail) == (happening.value, "what", "", "where")
