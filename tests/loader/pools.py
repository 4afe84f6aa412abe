"""Real pools of models that a test writes down, and routes that remember what they were shown."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import textwrap
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop

from core.process import resources as machine
from core.release import Release, Version, Wanted
from loader.controller.routes import Live
from loader.desire import wanted
from loader.environments.environment import Environments
from loader.releases.proofs import ProofStore
from loader.releases.store import ReleaseStore
from loader.sources.local.source import LocalSource
from loader.workers.pool import Pool
from loader.workers.process.warm_workers import WarmWorkers
from loader.workers.report import Report
from loader.workers.starter import Starter, WorkerDefaults, no_room
from tests.loader.artifact_folders import ArtifactFolders
from worker.wire.client import Answer, connect

PLAIN = """
import os

class Plain:
    def transform_predict(self, variables):
        return {"pid": os.getpid()}
"""


class Place:
    """A folder of models and a starter of their pools."""

    def __init__(
        self,
        folder: Path,
        memory: Callable[[], machine.Memory],
        start_timeout_s: float,
        warm_workers: WarmWorkers | None,
    ) -> None:
        self.models = folder / "models"
        self.models.mkdir()
        self.run = Path(tempfile.mkdtemp(prefix="pawl-"))
        """Of a short path, as sockets need."""
        self.artifacts = ArtifactFolders(folder / "artifacts")
        self.release_store = ReleaseStore(folder / "releases", self.artifacts)
        self.environments = Environments(folder / "envs", dict(os.environ))
        self.source = LocalSource(self.models, {})
        self.reports: list[Report] = []
        defaults = WorkerDefaults(
            environ=dict(os.environ),
            run=self.run,
            max_body=1 << 20,
            variables="dict",
            device="cpu",
            start_timeout_s=start_timeout_s,
        )
        self.warm_workers = warm_workers or WarmWorkers(most=0)
        self.proofs = ProofStore(folder / "proofs")
        self.starter = Starter(
            self.release_store, self.environments, defaults, memory, self.warm_workers, proofs=self.proofs
        )

    def write(self, etls: str = PLAIN, manifest: str = "{}", model: str = "Model") -> Wanted:
        """The model as it is wanted now."""
        folder = self.models / model
        folder.mkdir(exist_ok=True)
        (folder / "etls.py").write_text(textwrap.dedent(etls))
        (folder / "model.yaml").write_text(manifest)
        return wanted(self.source.look().models[model])

    async def start(self, wanted: Wanted) -> Pool:
        return await self.start_release(release_of(wanted))

    async def start_release(self, release: Release, **more: object) -> Pool:
        options = {
            "make_room": no_room,
            "progress": lambda stage: None,
            "changed": lambda: None,
            "report": self.reports.append,
        }
        return await self.starter.start(release, self.source, **{**options, **more})  # type: ignore[arg-type]

    async def close(self) -> None:
        await asyncio.gather(*(pool.kill() for pool in self.starter.pools()))
        self.starter.close()
        await self.warm_workers.close()
        self.source.close()
        shutil.rmtree(self.run)


class Shown:
    """Routes that remember."""

    def __init__(self) -> None:
        self.live: dict[str, Live] = {}
        self.down: dict[str, str] = {}
        self.untrained: dict[str, str] = {}
        self.versions: dict[str, Live] = {}

    async def show(self, model: str, live: Live) -> None:
        self.live[model] = live
        self.down.pop(model, None)

    async def hide(self, model: str, why: str | None, *, run: str | None = None) -> None:
        self.live.pop(model, None)
        self.untrained.pop(model, None)
        if run is not None:
            self.untrained[model] = run
        if why is not None:
            self.down[model] = why

    async def show_version(self, model: str, name: str, live: Live) -> None:
        self.versions[f"{model}/{name}"] = live

    async def hide_pool(self, pool: Pool) -> None:
        self.versions = {name: live for name, live in self.versions.items() if live.pool is not pool}

    def forget_versions(self) -> None:
        self.versions.clear()

    def refresh(self) -> None:
        pass


@asynccontextmanager
async def place(
    folder: Path,
    memory: Callable[[], machine.Memory] = machine.memory,
    start_timeout_s: float = 30,
    warm_workers: WarmWorkers | None = None,
) -> AsyncIterator[Place]:
    here = Place(folder, memory, start_timeout_s, warm_workers)
    try:
        yield here
    finally:
        await here.close()


def release_of(wanted: Wanted) -> Release:
    assert wanted.release is not None, wanted.failure
    return wanted.release


def numbered(wanted: Wanted, number: int) -> Wanted:
    return replace(wanted, version=Version(number, "f" * 40))


async def ask(pool: Pool, body: bytes = b"{}") -> Answer:
    """The first worker's answer."""
    connection = await connect(pool.sockets[0])
    try:
        return await connection.request(body, 0)
    finally:
        connection.close()


def run(work: Coroutine[Any, Any, None]) -> None:
    """On the loop that the daemon runs on."""
    uvloop.run(work)


async def until(look: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not look():  # noqa: ASYNC110 (what is looked at tells nobody)
            await asyncio.sleep(0.01)
