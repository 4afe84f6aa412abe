"""`python -m trainer.run SPEC`: the process of one attempt. It ends with 0 once the attempt's record is written."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec

from core.folders import remove_tree
from core.process.descendants import Descendants
from core.process.signals import ending_signals
from core.runs.runs import RunSpec
from core.runs.states import RunState
from core.task import spawn
from loader.artifacts.checkpoints import CHECKPOINTS
from loader.artifacts.datasets.datasets import Datasets
from loader.artifacts.files.files import Files
from loader.artifacts.files.place import open_files
from loader.artifacts.folder import Bounds
from loader.artifacts.records import RunRecords
from loader.artifacts.store import ArtifactStore
from trainer.attempt import process_tree
from trainer.attempt.attempt import Attempt, Prepared
from trainer.attempt.identity import GivenUp, claim
from trainer.attempt.pod import PodEnvironment, take_logins
from trainer.attempt.preparation import Preparation
from trainer.attempt.progress import Progress
from trainer.attempt.published import Published
from trainer.attempt.run_log import RunLog
from trainer.attempt.stop import Stop
from trainer.attempt.store_retry import retry_while_away
from trainer.attempt.stored_checkpoint import StoredCheckpoint
from trainer.attempt.stored_record import leave, write

log = logging.getLogger("pawl.trainer")

NOT_WRITTEN = 1
GIVEN_UP = 3
_NICE = 10
_END_S = 15.0


def main(arguments: list[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    path = Path(arguments[0])
    spec = msgspec.json.decode(path.read_bytes(), type=RunSpec)
    lineage = process_tree.adopt()
    try:
        claim(path.parent, lineage)
    except GivenUp as error:
        log.warning("%s", error)
        return GIVEN_UP
    environ = take_logins(os.environ) if spec.in_pod else PodEnvironment(dict(os.environ), dict(os.environ))
    _behave(spec)
    try:
        # Not asyncio.run, which waits for threads: what one of them still does when the attempt ends is of no use.
        return asyncio.new_event_loop().run_until_complete(_run(spec, path.parent, lineage, environ))
    finally:
        process_tree.kill_all(_END_S, lineage)


def _behave(spec: RunSpec) -> None:
    """Serving comes first."""
    os.nice(_NICE)
    if spec.cores:
        with suppress(OSError):
            os.sched_setaffinity(0, spec.cores)


async def _run(spec: RunSpec, folder: Path, lineage: Descendants | None, environ: PodEnvironment) -> int:
    stop = Stop(folder)
    for number in (signal.SIGINT, *ending_signals()):
        asyncio.get_running_loop().add_signal_handler(number, stop.ask)
    progress = Progress(folder)
    files = await _opened(spec, stop, progress.wait_for)
    if files is None:
        return NOT_WRITTEN
    records = RunRecords(files)
    printed = RunLog(folder / "log.txt", spec.log_bytes, sys.stdout.fileno() if spec.in_pod else None)
    datasets = Datasets(Path(spec.data_dir) / "datasets", spec.dataset_cache_bytes, spec.dataset_timeout_s)
    checkpoint = _stored_checkpoint(spec, files)
    preparation = Preparation(spec, environ.of_builds, datasets.fetch)
    attempt = Attempt(
        spec,
        folder,
        preparation if checkpoint is None else partial(_prepare, checkpoint, preparation),
        ArtifactStore(files, Bounds(bytes=spec.max_artifact_bytes)),
        environ.of_code,
        printed,
        progress,
        stop,
        lineage,
    )
    spawn(stop.ask_once_forgotten(), "the folder of an attempt")
    beside = [spawn(Published(records, spec, folder).run(), "what a run says")] if spec.in_pod else []
    beside += [] if checkpoint is None else [spawn(checkpoint.run(), "the checkpoint of a run")]
    result = await attempt.run()
    printed.close()
    _make_room(folder)
    for task in beside:
        task.cancel()
    if checkpoint is not None and result.state is not RunState.SUCCEEDED:
        await asyncio.to_thread(checkpoint.store)
    if spec.in_pod and result.state is RunState.LOST and stop.is_asked:
        await leave(records, spec, folder)
        return NOT_WRITTEN
    written = await write(records, spec, folder, result, stop)
    if written and result.state is RunState.SUCCEEDED:
        await asyncio.to_thread(_remove_checkpoint, spec, checkpoint)
    return 0 if written else NOT_WRITTEN


def _stored_checkpoint(spec: RunSpec, files: Files) -> StoredCheckpoint | None:
    """None: it is in a folder that survives by itself."""
    if not spec.in_pod or spec.checkpoint:
        return None
    bounds = Bounds(bytes=spec.max_artifact_bytes)
    store = ArtifactStore(files, bounds, shares=False, root=f"{CHECKPOINTS}/{spec.run}")
    return StoredCheckpoint(store, Path(spec.home) / "checkpoint")


def _prepare(checkpoint: StoredCheckpoint, preparation: Preparation) -> Prepared:
    checkpoint.restore()
    return preparation()


def _remove_checkpoint(spec: RunSpec, checkpoint: StoredCheckpoint | None) -> None:
    """Nobody needs it any more; that of a run which came to nothing is there for whoever tries it again."""
    if checkpoint is not None:
        checkpoint.remove()
    else:
        remove_tree(Path(spec.checkpoint or f"{spec.home}/checkpoint"))


async def _opened(spec: RunSpec, stop: Stop, told: Callable[[str], None]) -> Files | None:
    """The store, however long it takes to be there; None: the attempt is to stop. `told` gets what is wrong with it."""
    opening = asyncio.ensure_future(retry_while_away(partial(open_files, spec.artifacts, Path(spec.data_dir)), told))
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait((opening, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    return opening.result() if opening.done() else None


def _make_room(folder: Path) -> None:
    """For the record, on a disk that the code may have filled: what it left is stored by now, or will never be."""
    for name in ("output", "live", "code"):
        remove_tree(folder / name)


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(status)  # what a thread still waits for is nobody's business any more
