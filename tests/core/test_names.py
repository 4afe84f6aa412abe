from __future__ import annotations

import pytest

from core.names import RESERVED, why_not_a_model_name


@pytest.mark.parametrize("name", ["Iris", "a", "0", "a.b-c_d", "A" * 200])
def test_ordinary_names_can_be_served(name: str) -> None:
    assert why_not_a_model_name(name) is None


@pytest.mark.parametrize("name", ["", "-a", ".a", "_a", "a b", "ä", "a/b", "a\n", "..", *sorted(RESERVED)])
def test_odd_and_reserved_names_cannot_with_a_reason(name: str) -> None:
    reason = why_not_a_model_name(name)
    assert reason is not None
    assert "rename the folder" in reason
