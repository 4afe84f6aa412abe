"""Does with a folder what the server would do with it, by the server's own parts."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from core.errors import ReleaseFailed, SourceError
from core.process import descendants
from core.release import Release, Revision
from core.settings.settings import Settings
from loader.environments.environment import Environments
from loader.environments.requirements_files import requirements_of
from loader.files.model_folders import looks_like_model, misnamed, why_left_out
from loader.releases.store import ReleaseStore
from loader.sources.local.source import LocalSource
from loader.workers.examples import read_examples
from loader.workers.starter import Starter, WorkerDefaults
from pawl.check.trained import check_untrained, release_at_hand
from pawl.check.trials import Trials
from pawl.check.unpushed import MOST, unpushed
from pawl.check.verdict import CheckFailure, Trial, Verdict
from server.process.data_dir import DataDir, DataDirUnusable

_MEGABYTE = 1024 * 1024
_STOP_S = 5.0


def examine(folder: Path, settings: Settings, environ: Mapping[str, str], tell: Callable[[str], None]) -> Verdict:
    """The verdict on `folder` (absolute).

    `environ`: what the model, and what builds its environment, may see; `tell` is told what is being done.
    """
    began = time.monotonic()
    descendants.mark_this_process()
    found = _Found(folder, settings.base)
    try:
        _check_is_model(folder)
        with _workspace(settings, environ) as workspace:
            uvloop.run(_examine(folder, workspace, found, tell))
    except ReleaseFailed as error:
        found.note(failure=CheckFailure(stage=error.stage, message=str(error), detail=error.detail))
    parts = (folder.name, *found.verdict.uses, "requirements.txt")
    beside = unpushed(folder.parent, parts)
    found.note(unpushed=beside[:MOST], unpushed_more=len(beside[MOST:]))
    found.note(seconds=round(time.monotonic() - began, 2))
    return found.verdict


class _Found:
    """The verdict as far as it is known."""

    def __init__(self, folder: Path, base: str) -> None:
        route = f"{base}/{folder.name}"
        self.moved = ("", "")
        """Where the folders were copied to, and where their author has them."""
        self._verdict = Verdict(ok=False, model=folder.name, folder=str(folder), routes=(route, f"{route}/{{version}}"))

    @property
    def verdict(self) -> Verdict:
        """With the paths that its author knows."""
        there, here = (msgspec.json.encode(path).strip(b'"') for path in self.moved)
        return msgspec.json.decode(msgspec.json.encode(self._verdict).replace(there, here), type=Verdict)

    def note(self, **fields: Any) -> None:
        self._verdict = msgspec.structs.replace(self._verdict, **fields)


@dataclass(frozen=True)
class _Workspace:
    """What a server has in its DATA_DIR, for as long as one check takes."""

    settings: Settings
    release_store: ReleaseStore
    starter: Starter


async def _examine(folder: Path, workspace: _Workspace, found: _Found, tell: Callable[[str], None]) -> None:
    tell("reading the folder")
    source = LocalSource(folder.parent, {}, only=folder.name)
    try:
        revision = await asyncio.to_thread(_revision, source, folder)
        found.note(uses=tuple(revision.folders)[1:], about=revision.manifest.description)
        release, artifacts = await asyncio.to_thread(release_at_hand, revision, folder, workspace.settings)
        if release is None:
            found.note(ok=True, untrained=await asyncio.to_thread(check_untrained, revision, folder))
            return
        workspace.release_store.take_artifacts_from(artifacts)
        found.note(release=release.id)
        await _start(release, source, workspace, found, tell)
    finally:
        workspace.starter.close()
        source.close()


async def _start(
    release: Release, source: LocalSource, workspace: _Workspace, found: _Found, tell: Callable[[str], None]
) -> None:
    trials = Trials()
    root = workspace.release_store.path(release)
    start = workspace.starter.start(
        *(release, source),
        replicas=1,
        run_examples=False,
        progress=lambda doing: tell(_IN_WORDS.get(doing, doing)),
        changed=trials.changed,
        report=trials.report,
    )
    try:
        pool = await start
    finally:
        if root.is_dir():
            found.moved = f"{root}/", f"{source.where}/"
            found.note(requirements=_requirements(root, release.model))
    try:
        found.note(description=pool.description, about=release.manifest.description or pool.description.doc)
        tell("trying the examples")
        tried = await trials.run(pool, read_examples(root / release.model))
        failure = _first_wrong(tried)
        found.note(trials=tried, ok=failure is None, failure=failure)
    finally:
        await pool.stop(_STOP_S)


def _first_wrong(trials: Iterable[Trial]) -> CheckFailure | None:
    """What the server would say of them."""
    for trial in trials:
        if not trial.ok:
            message = f"example {trial.index} of examples.json: {trial.fault}"
            return CheckFailure(stage="examples", message=message, detail=trial.traceback)
    return None


_IN_WORDS = {"checkout": "copying the folder", "environment": "preparing the environment", "load": "loading the model"}


def _check_is_model(folder: Path) -> None:
    reason = why_left_out(folder.name)
    files = {path.name for path in folder.iterdir()}
    if reason is None and not looks_like_model(files):
        reason = (
            misnamed(files)
            or "there is no etls.py, no train.py, no model.yaml and no .onnx file in it, so it is not a model"
        )
    if reason is not None:
        raise ReleaseFailed(reason, stage="manifest")


def _revision(source: LocalSource, folder: Path) -> Revision:
    try:
        snapshot = source.look()
    except SourceError as error:
        raise ReleaseFailed(str(error), stage="checkout") from error
    candidate = snapshot.models.get(folder.name)
    if candidate is None:
        raise ReleaseFailed(snapshot.left_out.get(folder.name, "it is not there any more"), stage="checkout")
    if candidate.revision is None:
        assert candidate.failure is not None
        raise candidate.failure
    return candidate.revision


def _requirements(root: Path, model: str) -> str | None:
    path = requirements_of(root, model)
    return None if path is None else str(path)


@contextmanager
def _workspace(settings: Settings, environ: Mapping[str, str]) -> Iterator[_Workspace]:
    """In a temporary folder, but for the environments: those of DATA_DIR are used where no server does."""
    with tempfile.TemporaryDirectory(prefix="pawl-check-", ignore_cleanup_errors=True) as temporary:
        home = DataDir(Path(temporary) / "data")
        release_store = ReleaseStore(home.path / "releases")
        kept = _home_of_a_server(settings) or home
        defaults = WorkerDefaults(
            environ=environ,
            run=home.run,
            max_body=settings.max_body_mb * _MEGABYTE,
            variables=settings.variables,
            device=settings.device,
            start_timeout_s=settings.start_timeout_s,
        )
        cache = _cache(settings.data, environ)
        environments = Environments(kept.path / "envs", environ, settings.environment_timeout_s, cache=cache)
        try:
            yield _Workspace(settings, release_store, Starter(release_store, environments, defaults))
        finally:
            release_store.prune_models(set())
            shutil.rmtree(home.run, ignore_errors=True)


def _cache(data: Path, environ: Mapping[str, str]) -> Path | None:
    """That of the server, or else that of the user, so that a check does not download what the last one did."""
    if data.is_dir():
        return data / "cache"
    own = Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "/")) / ".cache") / "pawl"
    try:
        own.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return own if os.access(own, os.W_OK) else None


def _home_of_a_server(settings: Settings) -> DataDir | None:
    try:
        return DataDir(settings.data) if settings.data.is_dir() else None
    except DataDirUnusable:
        return None
