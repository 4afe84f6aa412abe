"""Artifacts that nothing needs go; what anybody serves, or may yet accept, stays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from core.errors import StoreUnavailable
from core.runs.runs import AttemptResult, RunResult
from core.runs.states import RunState
from loader.artifacts.checkpoints import StoredCheckpoints
from loader.artifacts.files.place import open_files
from loader.artifacts.records import RunRecords
from loader.artifacts.store import ArtifactStore
from loader.artifacts.uses import Uses
from trainer.artifact_pruning import ArtifactPruning
from trainer.catalogue.catalogue import RunCatalogue
from trainer.catalogue.no_training import NoTraining
from trainer.records.record_names import RESULT, attempt_record

BEGAN = datetime(2026, 6, 21, 12, tzinfo=UTC)
LATER_S = 7200.0
"""When what has a result is old, and what has none is not."""


class Installation:
    """What shares the store in `folder`, and prunes it as if it were later."""

    def __init__(self, folder: Path, name: str, later_s: float = LATER_S) -> None:
        files = open_files("", folder)
        self.store, self.records = ArtifactStore(files), RunRecords(files)
        self.needs: set[str] = set()
        self.acts = True
        self.needed: Callable[[], set[str]] = lambda: self.needs
        runs = RunCatalogue(self.records, self.store, folder / "runs", NoTraining())
        uses = Uses(files, name)
        self._pruning = ArtifactPruning(
            self.store,
            StoredCheckpoints(files),
            uses,
            runs.recorded,
            lambda: self.needed(),
            self._acts,
            lambda: time.time() + later_s,
        )

    async def _acts(self) -> bool:
        return self.acts

    def prune(self) -> list[str]:
        return asyncio.run(self._pruning.prune())

    def there(self) -> set[str]:
        return {artifact.name for artifact in self.store.list()}


class Runs:
    """Runs that have left something."""

    def __init__(self, folder: Path) -> None:
        self.installation = Installation(folder, "0" * 32)
        self._folder = folder / "out"
        self._folder.mkdir()
        self._count = 0

    def left(self, state: RunState | None, model: str = "Iris") -> str:
        """The artifact of a run that ended so; None: nobody has said yet what becomes of it."""
        self._count += 1
        key, ended_at = f"{self._count:012x}", BEGAN + timedelta(hours=self._count)
        (self._folder / "weights").write_text(key)
        artifact = self.installation.store.put(self._folder)
        about = {"run": key, "model": model, "artifact": artifact, "ended_at": ended_at}
        attempt = AttemptResult(**about, attempt=1, state=RunState.SUCCEEDED)  # type: ignore[arg-type]
        self._write(model, key, attempt_record(1), attempt)
        if state is not None:
            self._write(model, key, RESULT, RunResult(**about, state=state))  # type: ignore[arg-type]
        return artifact

    def orphan(self) -> str:
        (self._folder / "weights").write_text("of nobody")
        return self.installation.store.put(self._folder)

    def _write(self, model: str, key: str, name: str, value: msgspec.Struct) -> None:
        assert self.installation.records.put_once(model, key, name, msgspec.json.encode(value))


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def test_the_last_three_of_each_model_stay(runs: Runs) -> None:
    accepted = [runs.left(RunState.SUCCEEDED) for _ in range(5)]
    others = [runs.left(RunState.SUCCEEDED, "Churn") for _ in range(3)]
    assert set(runs.installation.prune()) == set(accepted[:2])
    assert runs.installation.there() == {*accepted[2:], *others}


def test_rejected_ones_push_out_no_accepted_ones_and_can_be_accepted_yet(runs: Runs) -> None:
    accepted = runs.left(RunState.SUCCEEDED)
    rejected = [runs.left(RunState.REJECTED) for _ in range(5)]
    runs.installation.prune()
    assert runs.installation.there() == {accepted, *rejected[2:]}


def test_what_is_served_stays_however_old(runs: Runs) -> None:
    accepted = [runs.left(RunState.SUCCEEDED) for _ in range(5)]
    runs.installation.needs = {accepted[0]}
    assert runs.installation.prune() == [accepted[1]]


def test_what_is_pinned_in_the_middle_of_it_stays(runs: Runs) -> None:
    accepted = [runs.left(RunState.SUCCEEDED) for _ in range(5)]
    asked: list[set[str]] = [set(), {accepted[0]}]
    runs.installation.needed = lambda: asked.pop(0)
    assert runs.installation.prune() == [accepted[1]]


def test_what_another_installation_serves_stays(runs: Runs, tmp_path: Path) -> None:
    accepted = [runs.left(RunState.SUCCEEDED) for _ in range(5)]
    other = Installation(tmp_path, "1" * 32)
    other.acts, other.needs = False, {accepted[0]}
    assert other.prune() == []
    assert runs.installation.prune() == [accepted[1]]


def test_one_that_does_not_train_removes_nothing(runs: Runs) -> None:
    for _ in range(5):
        runs.left(RunState.SUCCEEDED)
    runs.installation.acts = False
    assert runs.installation.prune() == []
    assert len(runs.installation.there()) == 5


def test_what_is_still_to_be_judged_stays(runs: Runs) -> None:
    waiting = runs.left(None)
    for _ in range(4):
        runs.left(RunState.SUCCEEDED)
    runs.installation.prune()
    assert waiting in runs.installation.there()


def test_what_no_record_names_goes_only_when_no_run_can_be_about_to_write_one(runs: Runs, tmp_path: Path) -> None:
    orphan = runs.orphan()
    assert runs.installation.prune() == []
    assert Installation(tmp_path, "1" * 32, later_s=100_000).prune() == [orphan]


def test_nothing_goes_while_a_record_cannot_be_read(runs: Runs) -> None:
    for _ in range(5):
        runs.left(RunState.SUCCEEDED)
    runs.installation.records.put_once("Iris", "f" * 12, RESULT, b'{"state": "of a later edition"}')
    with pytest.raises(StoreUnavailable, match="f" * 12):
        runs.installation.prune()
    assert len(runs.installation.there()) == 5


def test_two_that_remove_the_same_do_each_other_no_harm(runs: Runs, tmp_path: Path) -> None:
    accepted = [runs.left(RunState.SUCCEEDED) for _ in range(9)]
    both = [runs.installation, Installation(tmp_path, "1" * 32)]
    with ThreadPoolExecutor(2) as threads:
        gone = list(threads.map(Installation.prune, both))
    assert {id for ids in gone for id in ids} == set(accepted[:6])
    assert runs.installation.there() == set(accepted[6:])
    for id in accepted[6:]:
        runs.installation.store.fetch(id, tmp_path / "fetched" / id)


def test_the_checkpoint_of_a_run_that_is_tried_again_while_artifacts_go_stays(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    runs.left(RunState.CANCELLED)
    checkpoint = tmp_path / f"artifacts/checkpoints/{1:012x}"
    asked: list[Callable[[], None]] = [lambda: None, lambda: checkpoint.mkdir(parents=True)]

    def needed() -> set[str]:
        asked.pop(0)()
        return set()

    runs.installation.needed = needed
    runs.installation.prune()
    assert checkpoint.exists()


def test_checkpoints_of_runs_that_ended_long_ago_go(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    runs.left(RunState.CANCELLED)
    runs.left(None)
    checkpoints = [tmp_path / f"artifacts/checkpoints/{key:012x}" for key in (1, 2, 3)]
    for path in checkpoints:
        path.mkdir(parents=True)
        (path / "weights").touch()
    runs.installation.prune()
    assert [path.exists() for path in checkpoints] == [False, True, True]
