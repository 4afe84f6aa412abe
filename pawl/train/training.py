"""Trains a folder here and now, by the server's own parts."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from core.errors import PawlError
from core.folders import remove_tree
from core.names import why_not_a_model_name
from core.runs.runs import AttemptResult
from core.runs.states import RunState
from core.settings.settings import Settings
from loader.artifacts.datasets.datasets import Datasets
from loader.artifacts.files.place import open_files
from loader.artifacts.records import RunRecords
from loader.artifacts.store import ArtifactStore
from loader.sources.local.source import LocalSource
from pawl.terminal.interruption import Interruption
from pawl.train.serving import nothing_serves
from trainer.attempt.attempt import ENDED
from trainer.attempt.progress import Point, Reached, read_curve, read_reached
from trainer.demand.code_folders import CodeFolders
from trainer.demand.demand import Demand, Trainable
from trainer.gates import Judgement, judge
from trainer.local import LocalRuns
from trainer.records.open_runs import RunFile
from trainer.records.record_names import attempt_record
from trainer.specs import SpecMaker, place_of

_TICK_S = 0.1
_GIGABYTE = 1_000_000_000


class NotTrained(PawlError):
    """The folder can't be trained."""


@dataclass(frozen=True)
class Outcome:
    run: RunFile
    attempt: AttemptResult
    judgement: Judgement
    unserved: bool = False
    """Whether there is nothing in the folder to serve it with."""
    curve: Sequence[Point] = ()
    """What the code reported."""

    @property
    def detail(self) -> str:
        """What explains a failure, unless the code has printed it: that was shown as it came."""
        return "" if self.is_accepted or self.attempt.reason in ENDED else self.attempt.detail

    @property
    def is_accepted(self) -> bool:
        return self.judgement.state is RunState.SUCCEEDED


def train(
    folder: Path,
    settings: Settings,
    environ: Mapping[str, str],
    params: Mapping[str, Any],
    output: Path | None,
    tell: Callable[[str], None],
) -> Outcome:
    """Train the model in `folder` (absolute), with `params` over its own; `output` gets the artifact.

    `tell` is told how far it is; what the code prints goes to stderr. Raises NotTrained, PawlError.
    """
    tell("reading the folder")
    source = LocalSource(folder.parent, {}, only=folder.name)
    with _home(settings) as (data, home):
        files = open_files(home.joinpath("store").as_uri(), home)
        datasets = Datasets(data / "datasets", int(settings.dataset_cache_gb * _GIGABYTE), settings.dataset_timeout_s)
        code_folders = CodeFolders(home / "code", source.check_out)
        run = Demand(code_folders, datasets.fingerprint).run_of(_trainable(source, folder), "pawl train", {**params})
        place = place_of(settings, data, home, home.joinpath("store").as_uri())
        local = LocalRuns(home, environ, place.max_artifact_bytes)
        local.begin(SpecMaker(place, code_folders.path)(run, 1, ""))
        _follow(local, run, tell)
        content = RunRecords(files).get(run.model, run.run, attempt_record(1))
        if content is None:
            raise NotTrained((local.folder(run.run, 1) / "trainer.log").read_text()[-2000:])
        attempt = msgspec.json.decode(content, type=AttemptResult)
        store = ArtifactStore(files, shares=False)
        left: tuple[str, ...] = ()
        if attempt.artifact:
            left = tuple(file.name for file in store.manifest(attempt.artifact).files)
            if output is not None:
                store.fetch(attempt.artifact, output)
        curve = read_curve(local.folder(run.run, 1))
    unserved = bool(left) and nothing_serves(folder, left, run.train.entry)
    return Outcome(run, attempt, _judged(run, attempt), unserved, curve)


def _judged(run: RunFile, attempt: AttemptResult) -> Judgement:
    if attempt.state is not RunState.SUCCEEDED:
        return Judgement(attempt.state, attempt.reason, attempt.message)
    return judge(run.train, attempt, None)


def _trainable(source: LocalSource, folder: Path) -> Trainable:
    if not any((folder / name).is_file() for name in ("train.py", "etls.py", "model.yaml")):
        raise NotTrained(f"{folder} is not a model that trains: it holds no train.py; add one with a function train")
    if reason := why_not_a_model_name(folder.name):
        raise NotTrained(f"{folder} can't be a model: {reason}")
    found = source.look()
    candidate = found.models.get(folder.name)
    if candidate is None:
        raise NotTrained(f"{folder} is not a model: {found.left_out.get(folder.name, 'it holds no train.py')}")
    if candidate.revision is None:
        raise candidate.failure or NotTrained(f"{folder} can't be read")
    if candidate.revision.code_key is None:
        raise NotTrained(
            f"{folder} does not train: it has neither a train.py that a run can call nor a train section in model.yaml"
        )
    return Trainable(candidate.version, candidate.revision)


def _follow(local: LocalRuns, run: RunFile, tell: Callable[[str], None]) -> None:
    """Until it has ended. Ctrl-C cancels it, and so does all else that keeps us from following it, such as a lost
    terminal."""
    shown, seen = 0, None
    folder = local.folder(run.run, 1)
    with Interruption() as interruption:
        try:
            while run.run in local.running():
                if interruption.is_asked:
                    raise KeyboardInterrupt
                shown = _show(folder / "log.txt", shown)
                if (reached := read_reached(folder)) is not None and reached != seen:
                    seen = reached
                    tell(_said(reached, read_curve(folder)))
                time.sleep(_TICK_S)
        except BaseException:
            local.stop(run.run, 1, RunState.CANCELLED)
            while run.run in local.running():
                local.enforce()
                time.sleep(_TICK_S)
            raise
    _show(folder / "log.txt", shown)


def _show(log: Path, shown: int) -> int:
    try:
        with open(log, "rb") as file:
            file.seek(shown)
            printed = file.read()
    except FileNotFoundError:
        return shown
    sys.stderr.write(printed.decode("utf-8", "replace"))
    sys.stderr.flush()
    return shown + len(printed)


def _said(reached: Reached, curve: Sequence[Point]) -> str:
    of = f" of {reached.total:g}" if reached.total is not None else ""
    step = "" if reached.step is None else f", step {reached.step:g}{of}"
    scores = curve[-1].scores if curve and reached.state is RunState.RUNNING else {}
    scored = "".join(f", {name} {score:.4g}" for name, score in scores.items() if score is not None)
    return f"{reached.state}{f' ({reached.what})' if reached.what else ''}{step}{scored}"


@contextmanager
def _home(settings: Settings) -> Iterator[tuple[Path, Path]]:
    """Where environments and data are kept: the server's DATA_DIR, where there is one, so that what it has built is
    used; and a temporary folder for all else."""
    home = Path(tempfile.mkdtemp(prefix="pawl-train-"))
    is_ours = settings.data.is_dir() and os.access(settings.data, os.W_OK)
    try:
        yield (settings.data if is_ours else home / "data"), home
    finally:
        remove_tree(home)
