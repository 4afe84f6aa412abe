from __future__ import annotations

import msgspec

from core.settings.settings import Settings
from core.version_states import VersionState
from server.banner import Banner
from tests.server.states import failure, live, model, state


def test_it_says_of_each_model_where_it_is_or_why_it_is_not_live() -> None:
    training = msgspec.structs.replace(model("Churn", None), state=VersionState.TRAINING)
    lines = Banner(Settings(), 8000).lines(
        state(
            model("Iris", live()),
            model("Wine", live(), failed=failure("the newest one is broken")),
            model("Broken", None, failed=failure("etls.py, line 1: SyntaxError")),
            training,
            model("New", None),
        )
    )
    assert "Pawl serves https://git.example.org/models.git" in lines
    assert [line for line in lines if line.startswith(("  Iris", "  Wine", "  Broken", "  Churn", "  New"))] == [
        "  Iris    v3    http://127.0.0.1:8000/models_serve/Iris",
        "  Wine    v3    http://127.0.0.1:8000/models_serve/Wine",
        "  Broken  failed: etls.py, line 1: SyntaxError",
        "  Churn   not live yet: it is being trained, and goes live by itself",
        "  New     not live",
    ]
    assert [line for line in lines if "curl" in line] == ["  curl -d '{}' http://127.0.0.1:8000/models_serve/Iris"]


def test_where_nothing_is_live_there_is_nothing_to_try() -> None:
    assert not [line for line in Banner(Settings(), 8000).lines(state(model("New", None))) if "Try it" in line]
