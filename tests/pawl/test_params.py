from __future__ import annotations

import pytest

from pawl.exits import USAGE, CommandFailed
from pawl.params import read_params


def test_values_are_what_they_would_be_in_a_manifest() -> None:
    given = ("depth=4", "rate=1e-3", "deep=True", "layers=[64, 32]", "name=a=b", "quoted='4'", "none=", "depth=5")
    assert read_params(given) == {
        "depth": 5,
        "rate": 0.001,
        "deep": True,
        "layers": [64, 32],
        "name": "a=b",
        "quoted": "4",
        "none": None,
    }


@pytest.mark.parametrize("given", ["depth", "=4", "max depth=4", "depth=[1", "depth=*a"])
def test_what_is_not_a_key_and_a_value_is_named(given: str) -> None:
    with pytest.raises(CommandFailed, match="--set ") as caught:
        read_params([given])
    assert caught.value.code == USAGE
