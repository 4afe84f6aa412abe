from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from core.errors import DatasetUnavailable, Heals, ReleaseFailed
from core.manifest.manifest import parse_manifest
from core.release import Revision, Version
from trainer.demand.code_folders import CodeFolders, code_home, git_ids, trained_folders
from trainer.demand.demand import UNAVAILABLE, Demand, Trainable

SATURDAY = 1_780_704_000.0  # 2026-06-06 00:00 UTC


class Place:
    """Where a test's model is checked out from, its data, and the clock."""

    def __init__(self, home: Path) -> None:
        self.now = SATURDAY
        self.data: str | DatasetUnavailable = "one"
        self.check_outs = 0
        self.refused: ReleaseFailed | None = None
        self.folders = CodeFolders(home, self.check_out)
        self.told: list[str] = []
        self.demand = Demand(self.folders, self.fingerprint, lambda: self.now, lambda _, why: self.told.append(why))

    def check_out(self, revision: Revision, into: Path) -> None:
        self.check_outs += 1
        if self.refused is not None:
            raise self.refused
        (into / "Iris").mkdir()
        (into / "Iris" / "train.py").write_text("x = 1\n")
        (into / "Iris" / "etls.py").write_text("y = 1\n")

    def fingerprint(self, address: str, files: Mapping[str, str]) -> str:
        if isinstance(self.data, DatasetUnavailable):
            raise self.data
        return self.data

    def keys(self, manifest: str, code_key: str = "c" * 12) -> list[str]:
        return [run.run for run in self.demand.wanted({"Iris": trainable(manifest, code_key)})]


def trainable(manifest: str, code_key: str = "c" * 12) -> Trainable:
    revision = Revision("Iris", "r", parse_manifest(manifest.encode()), {"Iris": "t"}, code_key=code_key)
    return Trainable(Version(1, "d" * 40), revision)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_data_is_looked_at_again_at_a_new_revision_alone(place: Place) -> None:
    before = place.keys("train: {dataset: 'https://data.example/a'}")
    place.data, place.now = "two", place.now + 10 * 86_400
    assert place.keys("train: {dataset: 'https://data.example/a'}") == before
    assert place.check_outs == 1
    assert place.keys("train: {dataset: 'https://data.example/a'}", "e" * 12) != before


def test_data_is_looked_at_again_on_schedule(place: Place) -> None:
    manifest = "train: {dataset: 'https://data.example/a', schedule: 0 3 * * *}"
    before = place.keys(manifest)
    place.data = "two"
    place.now += 2 * 3600
    assert place.keys(manifest) == before
    place.now += 2 * 3600
    assert place.keys(manifest) != before


def test_whoever_asks_for_a_run_has_the_data_looked_at_again_for_the_head_too(place: Place) -> None:
    manifest = "train: {dataset: 'https://data.example/a'}"
    place.data = DatasetUnavailable("404", heals=Heals.NEVER)
    failed = place.keys(manifest)
    place.data = "one"
    assert place.keys(manifest) == failed
    asked = place.demand.run_of(trainable(manifest), "a person")
    assert (asked.dataset_fingerprint, asked.own) == ("one", False)
    assert place.keys(manifest) == [asked.run] != failed


def test_data_that_can_not_be_had_is_a_run_of_its_own_that_says_why(place: Place) -> None:
    place.data = DatasetUnavailable("403", heals=Heals.NEVER)
    [failing] = place.keys("train: {dataset: 'https://data.example/a'}")
    place.data = UNAVAILABLE
    assert place.keys("train: {dataset: 'https://data.example/a'}") == [failing]


def test_data_that_is_gone_is_told_each_time_and_not_at_each_look(place: Place) -> None:
    manifest = "train: {dataset: 'https://data.example/a', schedule: 0 3 * * *}"
    gone = DatasetUnavailable("403", heals=Heals.NEVER)
    for data in ("one", gone, gone, "one", gone):
        place.data = data
        place.keys(manifest)
        place.now += 86_400
    assert place.told == ["the data can't be had any more: 403"] * 2


def test_data_that_is_away_for_a_moment_is_waited_for(place: Place) -> None:
    place.data = DatasetUnavailable("a timeout", heals=Heals.MAYBE)
    assert place.keys("train: {dataset: 'https://data.example/a'}") == []
    place.now += 6
    assert place.keys("train: {dataset: 'https://data.example/a'}") == []
    assert place.told == ["a run can't be queued yet: a timeout"]
    place.data = "one"
    assert place.keys("train: {dataset: 'https://data.example/a'}") == []
    place.now += 6
    assert len(place.keys("train: {dataset: 'https://data.example/a'}")) == 1


def test_a_push_is_looked_at_at_once_though_the_one_before_failed_a_moment_ago(place: Place) -> None:
    place.data = DatasetUnavailable("a timeout", heals=Heals.MAYBE)
    assert place.keys("train: {dataset: 'https://data.example/a'}") == []
    place.data = "one"
    assert len(place.keys("train: {dataset: 'https://data.example/b'}", "e" * 12)) == 1


@pytest.mark.parametrize(("heals", "tries"), [(Heals.NEVER, 2), (Heals.WITH_MACHINE, 100)])
def test_code_that_can_t_be_checked_out_as_it_is_is_tried_rarely(place: Place, heals: Heals, tries: int) -> None:
    place.refused = ReleaseFailed("it has a file in Git LFS that is gone", stage="checkout", heals=heals)
    for _ in range(100):
        assert place.keys("train: {}") == []
        place.now += 6
    assert place.check_outs == tries
    assert place.told == ["a run can't be queued yet: it has a file in Git LFS that is gone"]


def test_a_run_s_folder_lacks_what_only_serving_needs(place: Place) -> None:
    place.keys("train: {}")
    folder = place.folders.path("c" * 12) / "Iris"
    assert sorted(path.name for path in folder.iterdir()) == ["train.py"]
    place.demand.prune({"e" * 12})
    assert not folder.exists()


def test_files_have_the_ids_that_git_gives_them(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("hello\n")
    expected = {"data/a.csv": "ce013625030ba8dba906f756967f9e9ca394464a"}
    assert git_ids(tmp_path, "data") == git_ids(tmp_path, "data/a.csv") == expected
    assert git_ids(tmp_path, "../data") == {}


def test_the_folders_are_known_that_the_code_of_the_newest_commits_is_trained_in(tmp_path: Path) -> None:
    assert trained_folders(tmp_path) == []
    here = Place(code_home(tmp_path))
    here.keys("{}")
    assert trained_folders(tmp_path) == [("Iris", code_home(tmp_path) / ("c" * 12))]
    here.demand.prune(set())
    assert trained_folders(tmp_path) == []
