"""The history of traffic, and what of it is not written down yet, as steps of any length."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import msgspec

from core.steering import Deployment
from core.traffic.bucket import CLIENTS, Bucket, Stage, merge
from core.traffic.resolution import COARSEST
from core.traffic.selection import Selection
from registry.registry import Registry
from server.traffic.history.digests import Digest, StepParts, Wait, digest_of
from server.traffic.history.minutes import Batch
from server.traffic.history.points import Figures, Point
from server.traffic.history.steps import Steps, choose_steps
from server.traffic.history.writer import TrafficWriter

if TYPE_CHECKING:
    from registry.tables.traffic import Row
    from registry.transaction import Transaction

_HOUR_S = 3600
T = TypeVar("T")


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """That another version went live."""

    at: datetime
    model: str
    version: str
    commit: str
    run: str | None
    cause: str


class Stretch(msgspec.Struct, frozen=True, kw_only=True, rename={"begins": "from", "ends": "to"}):
    """Half-open, in UTC."""

    begins: datetime
    ends: datetime
    step_s: int
    points: list[Point]
    swaps: list[Swap]


class History(Stretch, frozen=True, kw_only=True, rename={"begins": "from", "ends": "to"}):
    """With the sum of all points."""

    totals: Figures


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Half-open, in UTC."""

    begins: datetime
    ends: datetime
    step_s: int
    requests: list[int]
    """Of each step."""
    swaps: list[Swap]
    totals: Figures


class TrafficHistory:
    """For whoever asks, in a route or in a page."""

    def __init__(self, registry: Registry, writer: TrafficWriter, now: Callable[[], float] = time.time) -> None:
        """`now`: seconds since 1970."""
        self._registry = registry
        self._writer = writer
        self._now = now

    async def query(
        self,
        model: str = "",
        version: str = "",
        start: datetime | None = None,
        end: datetime | None = None,
        step_s: int | None = None,
        stage: Stage | None = None,
    ) -> History:
        """Of a model, of its version (`vN` or `run-KEY`), or, where none is named, of all of them.

        `start` and `end`: the last hour where they are not given. `step_s`: one that suits the length. `stage`: all in
        which clients got the answers. Raises RegistryUnavailable.
        """
        steps = self._steps(start, end, step_s)
        buckets, swaps = await self._read(_selection(model, version, stage), steps, StepParts.bucket)
        stretch = _stretch(steps, [digest_of(bucket) for bucket in buckets], swaps)
        return History(**msgspec.structs.asdict(stretch), totals=Figures(**digest_of(merge(buckets)).figures))

    async def counts(self, model: str, start: datetime, end: datetime, step_s: int) -> Counts:
        """How many answers clients got in each step, and the sum: far quicker than all that `query` tells of steps.

        Raises RegistryUnavailable.
        """
        steps = self._steps(start, end, step_s)
        buckets, swaps = await self._read(_selection(model, "", None), steps, StepParts.bucket)
        return Counts(
            begins=_moment(steps.from_s),
            ends=_moment(steps.to_s),
            step_s=steps.step_s,
            requests=[bucket.requests for bucket in buckets],
            swaps=swaps,
            totals=Figures(**digest_of(merge(buckets)).figures),
        )

    async def totals(self, model: str, version: str, start: datetime, end: datetime) -> Figures:
        """Of all answers that clients got: quickest from where a day begins until now. Raises RegistryUnavailable."""
        steps = self._steps(start, end, COARSEST.step_s)
        buckets, _ = await self._read(_selection(model, version, None), steps, StepParts.bucket)
        return Figures(**digest_of(merge(buckets)).figures)

    async def observe(
        self,
        model: str = "",
        version: str = "",
        start: datetime | None = None,
        end: datetime | None = None,
        step_s: int | None = None,
        stage: Stage | None = None,
    ) -> tuple[Stretch, list[Wait]]:
        """As `query`, without the sum, and with how long requests waited in each step: for who asks again and again,
        since what was told of a bucket is remembered."""
        steps = self._steps(start, end, step_s)
        digests, swaps = await self._read(_selection(model, version, stage), steps, StepParts.digest)
        return _stretch(steps, digests, swaps), [digest.waited for digest in digests]

    async def knows(self, model: str, version: str = "") -> bool:
        """Whether anything was ever counted of it."""
        selection = _selection(model, version, None)._replace(stages=frozenset(Stage))
        if any(selection.covers(series) for batch in self._unwritten() for series in batch.buckets):
            return True
        return await self._registry.perform(lambda transaction: transaction.traffic.knows(selection))

    def _steps(self, start: datetime | None, end: datetime | None, step_s: int | None) -> Steps:
        now = self._now()
        ends = now if end is None else end.timestamp()
        begins = ends - _HOUR_S if start is None else start.timestamp()
        return choose_steps(begins, ends, step_s, now)

    async def _read(
        self, selection: Selection, steps: Steps, of: Callable[[StepParts], T]
    ) -> tuple[list[T], list[Swap]]:
        """What there is `of` each step; that is found out in the registry's thread."""
        begins, ends = _moment(steps.from_s), _moment(steps.to_s)

        def read(transaction: Transaction) -> tuple[list[T], list[Swap]]:
            rows = transaction.traffic.read(selection, steps.resolution, steps.from_s, steps.to_s)
            known = transaction.traffic.written([batch.key for batch in waiting])
            found = _of(selection, (batch for batch in waiting if batch.key not in known))
            swaps = transaction.deployments.begun_between(begins, ends, selection.model)
            return [*map(of, _by_step(rows, found, steps))], [_swap(deployment) for deployment in swaps]

        async with self._writer.writing:
            waiting = self._unwritten()
            return await self._registry.perform(read)

    def _unwritten(self) -> list[Batch]:
        return list(self._writer.minutes.unwritten())


def _selection(model: str, version: str, stage: Stage | None) -> Selection:
    stages: Collection[Stage] = CLIENTS if stage is None else {stage}
    if version.startswith("run-"):
        return Selection(model, stages, run=version.removeprefix("run-"))
    return Selection(model, stages, version)


def _of(selection: Selection, batches: Iterable[Batch]) -> list[tuple[int, Bucket]]:
    return [
        (batch.at_s, bucket)
        for batch in batches
        for series, bucket in batch.buckets.items()
        if selection.covers(series)
    ]


def _by_step(rows: Iterable[Row], found: Iterable[tuple[int, Bucket]], steps: Steps) -> list[StepParts]:
    packed: defaultdict[int, list[bytes]] = defaultdict(list)
    for at_s, bytes_ in rows:
        packed[steps.index(at_s)].append(bytes_)
    more: defaultdict[int, list[Bucket]] = defaultdict(list)
    for at_s, bucket in found:
        if steps.from_s <= at_s < steps.to_s:
            more[steps.index(at_s)].append(bucket)
    return [StepParts(tuple(packed.get(at, ())), tuple(more.get(at, ()))) for at in range(steps.count)]


def _stretch(steps: Steps, digests: Iterable[Digest], swaps: list[Swap]) -> Stretch:
    return Stretch(
        begins=_moment(steps.from_s),
        ends=_moment(steps.to_s),
        step_s=steps.step_s,
        points=[
            Point(at=_moment(steps.from_s + steps.step_s * number), **digest.figures)
            for number, digest in enumerate(digests)
        ],
        swaps=swaps,
    )


def _swap(deployment: Deployment) -> Swap:
    return Swap(
        at=deployment.began_at,
        model=deployment.model,
        version=deployment.version,
        commit=deployment.commit,
        run=deployment.run or None,
        cause=deployment.cause.value,
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
