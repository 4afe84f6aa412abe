from __future__ import annotations

from pathlib import Path

import pytest

from tests.pawl.commands import pawl


@pytest.mark.parametrize(
    "arguments",
    [
        ("sync", "--wait", "--timeout", "nan"),
        ("stop", "--timeout", "inf"),
        ("keys", "create", "robot", "--rate", "NaN"),
        ("runs", "start", "Echo", "--timeout", "Infinity"),
        ("rollback", "Echo", "--wait", "1e999"),
    ],
    ids=" ".join,
)
def test_numbers_that_are_not_finite_are_wrong_usage(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = pawl(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert f"Invalid value for '{arguments[-2]}': {arguments[-1]} is not a finite number" in done.stderr
