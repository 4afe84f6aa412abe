"""`python -m tests.cluster.steady REPOSITORY DATA STORE SECONDS`: a trainer with a Job for each model of a repository,
which KUBECONFIG's cluster runs. It prints a line of JSON once all run, and another after so many seconds more: the
bytes that it has in memory, in the first as it was before there was a Job."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path

from core.settings.settings import Settings
from loader.artifacts.datasets.datasets import Datasets
from loader.artifacts.files.place import open_files
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from trainer.assembly import Surroundings, Training, assemble
from trainer.demand.demand import Trainable
from trainer.lease import Alone
from trainer.records.accepted import AcceptedArtifacts
from trainer.sharing import NotShared


def main(repository: str, data: Path, store: str, seconds: float) -> None:
    (data / "run").mkdir(parents=True)
    source = GitSource(Remote(repository), data)
    found = source.look().models.values()
    heads = {one.model: Trainable(one.version, one.revision) for one in found if one.revision is not None}
    around = Surroundings(
        heads=lambda: heads,
        live=dict,
        check_out=source.check_out,
        resolve=source.resolve,
        fingerprint=Datasets(data / "datasets", 10**9).fingerprint,
        files=open_files(store, data),
        lease=Alone(),
        sharing=NotShared(),
        changed=lambda: None,
        record=lambda record: None,
        event=lambda event: None,
    )
    settings = Settings(
        trainer="kubernetes", artifacts="s3://bucket", git_path="https://git.example/models", train_image="pawl:test"
    )
    asyncio.run(_watch(assemble(settings, data, {}, around, AcceptedArtifacts()), len(heads), seconds))


async def _watch(training: Training, count: int, seconds: float) -> None:
    for part in training.following:
        await part.start()
    before = _memory()
    task = asyncio.create_task(training.trainer.run())
    while sum(one.reached is not None and one.reached.what == "starts" for one in training.trainer.open) < count:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    print(json.dumps(before), flush=True)
    await asyncio.sleep(seconds)
    print(json.dumps(_memory()), flush=True)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _memory() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], float(sys.argv[4]))
