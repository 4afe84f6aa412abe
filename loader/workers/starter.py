"""From a release to its running pool: files, environment, memory, workers, examples."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from core.errors import Heals, ReleaseFailed
from core.manifest.train import Train
from core.process import resources as machine
from core.release import Release
from core.task import spawn
from loader.environments.environment import Environment, Environments
from loader.environments.requirements_files import requirements_of
from loader.releases.proofs import ProofStore
from loader.releases.store import ReleaseStore
from loader.sources.source import Files
from loader.workers.examples import Example, Outcome, read_examples
from loader.workers.pool import Pool
from loader.workers.printed_lines import PrintedLines
from loader.workers.process.relay import Relay
from loader.workers.process.warm_workers import WarmWorkers
from loader.workers.process.worker_process import Launch
from loader.workers.proof_draft import ProofDraft
from loader.workers.report import Report
from loader.workers.start_limiter import StartLimiter
from loader.workers.watch import watch
from worker.wire.messages import WorkerConfig
from worker.wire.spans import Span

_MEGABYTE = 1024 * 1024
_LONGEST_START_S = 10.0
_CHECKOUTS = 32
"""Threads for checkouts. Most of them may be waiting for a slow Git LFS server while other models' files are local."""
_BUILDS = 64
"""Threads for building environments, which takes minutes; they are apart so that checkouts don't wait for them."""


@dataclass(frozen=True)
class WorkerDefaults:
    """What every worker is started with."""

    environ: Mapping[str, str]
    """Scrubbed of our secrets."""
    run: Path
    """Folder of sockets; short, for a socket's path has 107 bytes at most."""
    max_body: int
    variables: Literal["dict", "dataframe"]
    device: str
    start_timeout_s: float
    traced: Callable[[list[Span]], object] | None = None
    """Takes the spans of traced requests; None: none are traced."""


async def no_room() -> int:
    """No bytes: no older pool of the model runs whose memory would say how much the new one will take."""
    return 0


class Starter:
    """Starts pools, a few at a time, lists those that it started, and has their workers watched."""

    def __init__(
        self,
        release_store: ReleaseStore,
        environments: Environments,
        defaults: WorkerDefaults,
        memory: Callable[[], machine.Memory] = machine.memory,
        warm_workers: WarmWorkers | None = None,
        proofs: ProofStore | None = None,
        proven: Callable[[Release, str, Sequence[Outcome]], object] = lambda release, version, outcomes: None,
    ) -> None:
        """`proofs`: where it is kept what came of each start; None: nowhere. `proven` is told what the
        examples of a release came to, and the version that it goes by."""
        self._proven = proven
        self.printed_lines = PrintedLines()
        self._proofs = proofs
        self._memory = memory
        self._warm_workers = warm_workers or WarmWorkers(most=0)
        self._relay = Relay(defaults.environ)
        self._release_store = release_store
        self._environments = environments
        self._defaults = defaults
        self._processors = machine.processors()
        self._start_limiter = StartLimiter(max(2, self._processors), _LONGEST_START_S)
        self._checkouts = ThreadPoolExecutor(_CHECKOUTS, "checkout")
        self._builds = ThreadPoolExecutor(_BUILDS, "environment")
        self._numbers = itertools.count(1)
        self._starting: Counter[Release] = Counter()
        self._pools: set[Pool] = set()
        self._watch: asyncio.Task[None] | None = None

    async def start(
        self,
        release: Release,
        source: Files,
        *,
        version: str = "",
        make_room: Callable[[], Awaitable[int]] = no_room,
        replicas: int | None = None,
        run_examples: bool = True,
        progress: Callable[[str], None],
        changed: Callable[[], None],
        report: Callable[[Report], None],
    ) -> Pool:
        """A ready pool of the release, tested by its examples unless `run_examples` is false.

        `version`: what it goes by, if anything yet. `make_room` is called just before the start; it returns the bytes
        of memory that the start must find free. `progress` gets each stage when it begins, and lines about what takes
        long. Raises ReleaseFailed.
        """
        if self._watch is None:
            self._watch = spawn(watch(self.pools), "watch of all workers")
        with self._warm_workers.starting(), self._using(release):
            async with self._drafting_proof(release, version) as draft:

                def note(doing: str) -> None:
                    draft.progress(doing)
                    progress(doing)

                note("checkout")
                root = draft.root = await self._check_out(release, source)
                note("environment")
                draft.environment = await self._environment(root, release, progress)
                examples = await asyncio.to_thread(read_examples, root / release.model) if run_examples else ()
                async with self._start_limiter.permit():
                    await self._check_memory(await make_room())
                    note("load")
                    pool = draft.pool = self._pool(release, source, root, examples, replicas, changed, report)
                    self._pools.add(pool)
                    await pool.start(note)
        return pool

    def pools(self) -> tuple[Pool, ...]:
        """The pools that have processes: live, on demand, starting or draining."""
        self._pools = {pool for pool in self._pools if not pool.over}
        return tuple(self._pools)

    def in_use(self) -> set[Release]:
        """Releases whose files are needed."""
        return {*self._starting, *(pool.release for pool in self.pools())}

    def close(self) -> None:
        """Stop what is being built, and look at workers no more. The source ends what is being checked out."""
        if self._watch is not None:
            self._watch.cancel()
        self._relay.close()
        self._environments.close()
        self._checkouts.shutdown(wait=False, cancel_futures=True)
        self._builds.shutdown(wait=False, cancel_futures=True)

    @asynccontextmanager
    async def _drafting_proof(self, release: Release, version: str) -> AsyncIterator[ProofDraft]:
        """Keeps what comes of a start, unless it is given up."""
        draft = ProofDraft()
        failure = None
        try:
            yield draft
        except ReleaseFailed as error:
            failure = error
            raise
        finally:
            if draft.pool is not None:
                self._proven(release, version, [outcome for _, outcome in draft.pool.outcomes])
            if self._proofs is not None and (failure is not None or (draft.pool is not None and draft.pool.is_ready)):
                await asyncio.to_thread(_keep, self._proofs, release, draft, failure)

    @contextmanager
    def _using(self, release: Release) -> Iterator[None]:
        self._starting[release] += 1
        try:
            yield
        finally:
            self._starting -= Counter((release,))

    def _pool(
        self,
        release: Release,
        source: Files,
        root: Path,
        examples: Sequence[Example],
        replicas: int | None,
        changed: Callable[[], None],
        report: Callable[[Report], None],
    ) -> Pool:
        count = replicas or release.manifest.serve.replicas

        async def launch() -> Launch:
            return await self._launch(release, source, count)

        return Pool(
            f"{release.model}-{release.id}-{next(self._numbers)}",
            release,
            root,
            [launch] * count,
            examples,
            changed=changed,
            report=report,
        )

    async def _check_out(self, release: Release, source: Files) -> Path:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._checkouts, self._release_store.put, release, source)

    async def _environment(self, root: Path, release: Release, progress: Callable[[str], None]) -> Environment:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._builds, self._build, root, release, progress)

    def _build(self, root: Path, release: Release, progress: Callable[[str], None]) -> Environment:
        return self._environments.build(requirements_of(root, release.model), progress, within=root)

    async def _launch(self, release: Release, source: Files, count: int) -> Launch:
        """Checks out and builds again what is missing: files and environment may have been deleted since the first
        worker of the release started."""
        root = await self._check_out(release, source)
        python = (await self._environment(root, release, lambda _: None)).python
        serve, defaults, number = release.manifest.serve, self._defaults, next(self._numbers)
        train = release.manifest.train or Train()
        config = WorkerConfig(
            model=release.model,
            folder=f"{root / release.model}/",
            root=str(root),
            socket=str(defaults.run / f"w{number}.sock"),
            max_body=defaults.max_body,
            metadata=release.manifest.metadata,
            threads=serve.threads,
            concurrent=serve.concurrent,
            max_batch=serve.max_batch,
            variables=serve.variables or defaults.variables,
            device=serve.device or defaults.device,
            gpu_memory_mb=serve.gpu_memory_mb,
            cpus=machine.onnx_threads(self._processors, count),
            artifact=None if release.artifact is None else f"{root / release.model}/",
            train_entry=train.entry,
            model_params=train.model_params,
            traces=defaults.traced is not None,
        )
        return Launch(
            python,
            config,
            defaults.environ,
            defaults.start_timeout_s,
            self._relay,
            self._warm_workers.obtain,
            partial(self.printed_lines.add, release.model, release.id),
            defaults.traced or list,
        )

    async def _check_memory(self, needed: int) -> None:
        if self._memory().free < needed:
            await self._warm_workers.give_up()
        free = self._memory().free
        if free < needed:
            raise ReleaseFailed(
                f"no memory: {free // _MEGABYTE} MB are left, and the release before took {needed // _MEGABYTE} MB; "
                "give the pod more, or set serve.swap: replace in model.yaml to accept a gap",
                stage="memory",
                heals=Heals.WITH_MACHINE,
            )


def _keep(proofs: ProofStore, release: Release, draft: ProofDraft, failure: ReleaseFailed | None) -> None:
    proofs.put(release, draft.proof(failure))
