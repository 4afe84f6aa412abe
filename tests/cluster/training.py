"""A trainer that follows a repository and trains in a cluster, as the daemon has it."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from core.events import Event
from core.release import Artifact
from core.runs.records import RunRecord
from core.runs.runs import RunResult
from core.settings.settings import Settings
from loader.artifacts.datasets.datasets import Datasets
from loader.artifacts.files.place import open_files
from loader.artifacts.records import RunRecords
from loader.artifacts.store import ArtifactStore
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.cluster.cluster import Cluster
from tests.repos import Repo
from trainer.assembly import Surroundings, Training, assemble
from trainer.demand.demand import Trainable
from trainer.lease import Alone
from trainer.records.accepted import AcceptedArtifacts, read_results
from trainer.sharing import NotShared

CLAIM = "store"


class ClusterTraining:
    """`following` runs a daemon's part of it."""

    def __init__(self, cluster: Cluster, repo: Repo, url: str, data: Path) -> None:
        self.cluster = cluster
        self.repo = repo
        self.url = url
        self.data = data
        data.mkdir()
        self.files = open_files((cluster.claim(CLAIM) / "pawl").as_uri(), data)
        self.source = GitSource(Remote(url), data)
        (data / "run").mkdir(exist_ok=True)
        self.events: list[Event] = []
        self.recorded: list[RunRecord] = []
        self.heads: Mapping[str, Trainable] = {}
        self.training: Training | None = None

    def push(self, model: str = "Iris", **files: str) -> None:
        names = {"train": "train.py", "etls": "etls.py", "yaml": "model.yaml"}
        for name, text in files.items():
            self.repo.write(f"{model}/{names.get(name, name)}", textwrap.dedent(text))
        self.repo.commit()
        self.look()

    def look(self) -> None:
        found = self.source.look().models.values()
        self.heads = {
            one.model: Trainable(one.version, one.revision)
            for one in found
            if one.revision is not None and one.revision.code_key is not None
        }

    @asynccontextmanager
    async def following(self, **settings: Any) -> AsyncIterator[Training]:
        given = {
            "trainer": "kubernetes",
            "artifacts": f"pvc://{CLAIM}/pawl",
            "git_path": self.url,
            "train_image": self.cluster.image,
        }
        training = assemble(Settings(**{**given, **settings}), self.data, {}, self._around(), AcceptedArtifacts())
        self.training = training
        for part in training.following:
            await part.start()
        task = asyncio.create_task(training.trainer.run())
        try:
            yield training
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            for part in training.following:
                await part.stop()

    async def come(self, holds: Callable[[], object], seconds: float = 60) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not holds():  # noqa: ASYNC110  # it is files that are waited for
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise AssertionError(f"it never came\n{self.cluster.log()}\n{self.events}") from error

    async def result(self) -> RunResult:
        """The first that there is."""
        await self.come(self.results)
        return self.results()[0]

    def results(self) -> list[RunResult]:
        return sorted(read_results(RunRecords(self.files), self.heads), key=lambda result: result.ended_at)

    @property
    def records(self) -> RunRecords:
        return RunRecords(self.files)

    @property
    def store(self) -> ArtifactStore:
        return ArtifactStore(self.files)

    def _around(self) -> Surroundings:
        live: dict[str, Artifact] = {}
        return Surroundings(
            heads=lambda: self.heads,
            live=lambda: live,
            check_out=self.source.check_out,
            resolve=self.source.resolve,
            fingerprint=Datasets(self.data / "datasets", 10**9).fingerprint,
            files=self.files,
            lease=Alone(),
            sharing=NotShared(),
            changed=lambda: None,
            record=self.recorded.append,
            event=self.events.append,
        )
