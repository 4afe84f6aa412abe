"""A trainer that follows a folder of models, as the daemon has it; its runs are real processes."""

from __future__ import annotations

import asyncio
import os
import textwrap
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from functools import wraps
from pathlib import Path

from core.events import Event
from core.release import Artifact
from core.runs.records import RunRecord
from core.runs.runs import RunResult
from core.settings.settings import Settings
from loader.artifacts.datasets.datasets import Datasets
from loader.artifacts.files.place import open_files
from loader.artifacts.records import RunRecords
from loader.artifacts.store import ArtifactStore
from loader.sources.local.source import LocalSource
from tests.trainer.attempts import until
from trainer.assembly import Surroundings, Training, assemble
from trainer.demand.demand import Fingerprint, Trainable
from trainer.lease import Alone, Held
from trainer.local import LocalRuns
from trainer.records.accepted import AcceptedArtifacts, read_results
from trainer.sharing import NotShared, Sharing


class Pushes:
    """The folder, and the trainer's DATA_DIR. `following` runs a daemon's part of it."""

    def __init__(self, folder: Path) -> None:
        self.models = folder / "models"
        self.models.mkdir()
        self.data = folder / "data"
        self.data.mkdir()
        self.live: dict[str, Artifact] = {}
        self.recorded: list[RunRecord] = []
        self.events: list[Event] = []
        self.heads: Mapping[str, Trainable] = {}
        self.is_read = True
        """Whether the head is known."""
        self.source = LocalSource(self.models, {})
        self.files = open_files("", self.data)
        self.training: Training | None = None
        self.sharing: Sharing = NotShared()
        self.lease: Held = Alone()
        self.fingerprint: Fingerprint = Datasets(self.data / "datasets", 10**9).fingerprint
        self.accepted = 0

    def push(self, model: str = "Iris", **files: str) -> None:
        """`train`, `etls`: their code; `yaml`: the manifest; others: files of that name."""
        folder = self.models / model
        folder.mkdir(exist_ok=True)
        names = {"train": "train.py", "etls": "etls.py", "yaml": "model.yaml"}
        for name, text in files.items():
            (folder / names.get(name, name)).write_text(textwrap.dedent(text))
        self.look()

    def look(self) -> None:
        found = self.source.look().models.values()
        self.heads = {
            one.model: Trainable(one.version, one.revision)
            for one in found
            if one.revision is not None and one.revision.code_key is not None
        }

    @asynccontextmanager
    async def following(self, **settings: int) -> AsyncIterator[Training]:
        training = assemble(Settings(**settings), self.data, dict(os.environ), self._around(), AcceptedArtifacts())  # type: ignore[arg-type]
        self.training, self.accepted = training, 0
        task = asyncio.create_task(training.trainer.run())
        try:
            yield training
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def results(self) -> list[RunResult]:
        return sorted(read_results(RunRecords(self.files), self.heads), key=lambda result: result.ended_at)

    def wait_for_runs_to_end(self) -> None:
        local = LocalRuns(self.data / "runs", {}, max_kept_bytes=1 << 30)
        until(lambda: not local.running())

    def _around(self) -> Surroundings:
        return Surroundings(
            heads=lambda: self.heads if self.is_read else None,
            live=lambda: self.live,
            check_out=self.source.check_out,
            resolve=self.source.resolve,
            fingerprint=self.fingerprint,
            files=self.files,
            lease=self.lease,
            sharing=self.sharing,
            changed=self._changed,
            record=self.recorded.append,
            event=self.events.append,
        )

    def _changed(self) -> None:
        assert self.training is not None
        self.accepted = sum(map(len, self.training.accepted.newest_first().values()))

    @property
    def store(self) -> ArtifactStore:
        return ArtifactStore(self.files)


async def come(holds: Callable[[], object], seconds: float = 45) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  # it is files that are waited for
            await asyncio.sleep(0.05)


def in_a_loop(test: Callable[[Pushes], Coroutine[None, None, None]]) -> Callable[[Pushes], None]:
    @wraps(test)
    def run(pushes: Pushes) -> None:
        asyncio.run(test(pushes))

    return run
