"""From a release to its running pool: files, environment, memory, workers, proof."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import ReleaseFailed
from core.release import Release
from loader import machine
from loader.environment import Environments
from loader.pool import Pool, Report
from loader.process import Launch
from loader.proof import read_examples
from loader.shelf import Shelf
from loader.source import Source
from worker.protocol import WorkerConfig

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class WorkerDefaults:
    """What every worker is started with."""

    environ: Mapping[str, str]
    """Scrubbed of our secrets."""
    run: Path
    """Folder of sockets and boards; short, for a socket's path has 107 bytes at most."""
    max_body: int
    variables: Literal["dict", "dataframe"]
    device: str
    start_timeout_s: float


class Starter:
    """Starts pools, a few at a time."""

    def __init__(self, shelf: Shelf, environments: Environments, defaults: WorkerDefaults) -> None:
        self._shelf = shelf
        self._environments = environments
        self._defaults = defaults
        self._processors = machine.processors()
        self._turns = asyncio.Semaphore(max(2, self._processors))
        self._numbers = itertools.count(1)

    async def start(
        self,
        release: Release,
        source: Source,
        *,
        beside: int = 0,
        replicas: int | None = None,
        progress: Callable[[str], None],
        changed: Callable[[], None],
        report: Callable[[Report], None],
    ) -> Pool:
        """A proved pool of the release.

        `beside`: bytes that its predecessor took at its peak, if that goes on running meanwhile. `progress` is
        told what is being done. Raises ReleaseFailed.
        """
        progress("checkout")
        root = await asyncio.to_thread(self._shelf.put, release, source)
        progress("environment")
        python = await asyncio.to_thread(self._environment, root, release, progress)
        examples = await asyncio.to_thread(read_examples, root / release.model)
        async with self._turns:
            _check_memory(beside)
            progress("load")
            count = replicas or release.manifest.serve.replicas
            launches = [lambda: self._launch(root, release, python, count)] * count
            pool = Pool(
                f"{release.model}-{release.id}-{next(self._numbers)}",
                release,
                root,
                launches,
                examples,
                changed=changed,
                report=report,
            )
            await pool.start()
        return pool

    def _environment(self, root: Path, release: Release, progress: Callable[[str], None]) -> Path:
        own, default = root / release.model / "requirements.txt", root / "requirements.txt"
        requirements = own if own.exists() else default if default.exists() else None
        return self._environments.build(requirements, progress).python

    def _launch(self, root: Path, release: Release, python: Path, count: int) -> Launch:
        serve, defaults, number = release.manifest.serve, self._defaults, next(self._numbers)
        config = WorkerConfig(
            model=release.model,
            folder=f"{root / release.model}/",
            root=str(root),
            socket=str(defaults.run / f"w{number}.sock"),
            clock=str(defaults.run / f"w{number}.board"),
            max_body=defaults.max_body,
            metadata=release.manifest.metadata,
            threads=serve.threads,
            concurrent=serve.concurrent,
            max_batch=serve.max_batch,
            variables=serve.variables or defaults.variables,
            device=serve.device or defaults.device,
            cpus=max(1, (self._processors - 1) // count),
        )
        return Launch(python, config, defaults.environ, defaults.start_timeout_s)


def _check_memory(needed: int) -> None:
    free = machine.memory().free
    if free < needed:
        raise ReleaseFailed(
            f"no memory: {free // _MEGABYTE} MB are left, and the release before took {needed // _MEGABYTE} MB; "
            "give the pod more, or set serve.swap: replace in model.yaml to accept a gap",
            stage="memory",
            heals=True,
        )
