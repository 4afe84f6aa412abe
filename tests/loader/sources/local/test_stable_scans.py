"""Taking nothing that is half saved."""

from __future__ import annotations

from pathlib import Path

from loader.files.tree import Bounds
from loader.sources.local.stable_scans import StableScans


def test_what_changes_between_two_scans_is_taken_when_it_holds_still(tmp_path: Path) -> None:
    for part in ("Iris", "Churn"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "etls.py").write_text("")
    contents = iter(("half", "whole"))

    def somebody_writes(_: float) -> None:
        (tmp_path / "Iris/etls.py").write_text(next(contents, "whole"))

    scans = StableScans(tmp_path, Bounds(), somebody_writes)
    assert set(scans.stable(["Iris", "Churn"])) == {"Churn"}
    assert set(scans.stable(["Iris", "Churn"])) == {"Churn"}
    quiet = StableScans(tmp_path, Bounds(), lambda _: None)
    assert set(quiet.stable(["Iris", "Churn"])) == {"Iris", "Churn"}


def test_what_was_taken_and_has_not_changed_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "Iris").mkdir()
    (tmp_path / "Iris/etls.py").write_text("")
    pauses: list[float] = []
    scans = StableScans(tmp_path, Bounds(), pauses.append)
    first = scans.stable(["Iris"])
    assert len(pauses) == 1
    assert scans.stable(["Iris"]) == first
    assert len(pauses) == 1
