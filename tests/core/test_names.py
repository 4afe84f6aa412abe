from __future__ import annotations

import pytest

from core.names import may_be_version, why_not_a_model_name
from core.paths import RESERVED


@pytest.mark.parametrize("name", ["Iris", "a", "0", "a.b-c_d", "A" * 200])
def test_ordinary_names_can_be_served(name: str) -> None:
    assert why_not_a_model_name(name) is None


@pytest.mark.parametrize("name", ["", "-a", ".a", "_a", "a b", "ä", "a/b", "a\n", "..", *sorted(RESERVED)])
def test_odd_and_reserved_names_cannot_with_a_reason(name: str) -> None:
    reason = why_not_a_model_name(name)
    assert reason is not None
    assert "rename the folder" in reason


@pytest.mark.parametrize("name", ["v1", "v999999999", "abcdef0", "0" * 40, "local-abcdef0"])
def test_a_version_goes_by_its_number_or_its_commit(name: str) -> None:
    assert may_be_version(name)


@pytest.mark.parametrize(
    "name", ["", "v", "v0", "v01", "v1234567890", "1", "abcdef", "ABCDEF0", "0" * 41, "local-", "v1\n", "é"]
)
def test_nothing_else_names_a_version(name: str) -> None:
    assert not may_be_version(name)
