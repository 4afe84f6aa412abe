"""What is kept of runs, and found again."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.figures import figures_file
from bench.inputs.models import MODELS
from bench.peers.contenders import CONTENDERS
from bench.report.publish import fits


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(figures_file, "RESULTS", tmp_path)
    return tmp_path


def keep(results: Path, name: str, commit: str) -> None:
    (results / f"{name}.json").write_text(figures_file.dump({"commit": commit, "name": name}))


def anything(_: figures_file.Kept) -> bool:
    return True


def other(kept: figures_file.Kept) -> bool:
    return bool(kept["commit"] != "now")


def test_the_newest_is_found_by_its_part(results: Path) -> None:
    for name in ("quick-20260102T000000", "quick-20260103T000000", "serve-20260104T000000"):
        keep(results, name, "abc")
    kept = figures_file.newest("quick", anything)
    assert kept is not None
    assert kept["name"] == "quick-20260103T000000"


def test_a_change_is_held_against_the_last_run_of_another_commit(results: Path) -> None:
    for name, commit in (("1", "old"), ("2", "before"), ("3", "now"), ("4", "now")):
        keep(results, f"quick-{name}", commit)
    kept = figures_file.newest("quick", other)
    assert kept is not None
    assert kept["commit"] == "before"


def test_nothing_is_found_where_nothing_was_measured(results: Path) -> None:
    keep(results, "quick-1", "now")
    assert figures_file.newest("tail", anything) is None
    assert figures_file.newest("quick", other) is None


def serve(commit: str = "abc", **plan: object) -> figures_file.Kept:
    whole = {"contenders": [*CONTENDERS], "models": [*MODELS], "connections": [1, 32, 256]}
    return {"part": "serve", "commit": commit, "plan": {**whole, **plan}}


def test_only_a_whole_run_of_a_commit_is_published() -> None:
    assert fits(serve())
    assert fits({"part": "gpu", "commit": "abc"})
    assert not fits(serve("abc+"))
    assert not fits(serve(contenders=["pawl"]))
    assert not fits(serve(models=["trees"]))
    assert not fits(serve(connections=[32]))
    assert not fits({"part": "tail", "commit": "abc", "turns": 1})
