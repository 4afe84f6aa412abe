"""Events as pages tell them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.events import Event, EventKind
from server.pages.events.lines import line

NOW = datetime(2026, 3, 12, 14, 34, tzinfo=UTC)


@pytest.mark.parametrize(
    ("message", "version"),
    [("v4 failed at load", ""), ("v41 is live", "v4"), ("there is no column named amount", "v4")],
)
def test_a_version_is_named_once(message: str, version: str) -> None:
    event = Event(kind=EventKind.FAILED, model="fraud", version="v4", commit="c" * 40, message=message)
    assert line(event, NOW).version == version
