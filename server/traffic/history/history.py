"""The history of traffic, and what of it is not written down yet, as steps of any length."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from core.steering import Deployment
from core.traffic.bucket import CLIENTS, Bucket, Stage, merge
from core.traffic.packing import unpack
from core.traffic.selection import Selection
from registry.registry import Registry
from server.traffic.history.minutes import Batch
from server.traffic.history.points import Figures, Point, figures, points
from server.traffic.history.steps import Steps, choose_steps
from server.traffic.history.writer import TrafficWriter

if TYPE_CHECKING:
    from registry.transaction import Transaction

_HOUR_S = 3600


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """That another version went live."""

    at: datetime
    model: str
    version: str
    commit: str
    run: str | None
    cause: str


class History(msgspec.Struct, frozen=True, kw_only=True, rename={"begins": "from", "ends": "to"}):
    """Half-open, in UTC."""

    begins: datetime
    ends: datetime
    step_s: int
    points: list[Point]
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
        return (await self.observe(model, version, start, end, step_s, stage))[0]

    async def observe(
        self,
        model: str = "",
        version: str = "",
        start: datetime | None = None,
        end: datetime | None = None,
        step_s: int | None = None,
        stage: Stage | None = None,
    ) -> tuple[History, list[Bucket]]:
        """As `query`, with the buckets that its points were made of."""
        now = self._now()
        ends = now if end is None else end.timestamp()
        begins = ends - _HOUR_S if start is None else start.timestamp()
        steps = choose_steps(begins, ends, step_s, now)
        buckets, deployments = await self._read(_selection(model, version, stage), steps)
        found = History(
            begins=_moment(steps.from_s),
            ends=_moment(steps.to_s),
            step_s=steps.step_s,
            points=points(buckets, steps.from_s, steps.step_s),
            swaps=[_swap(deployment) for deployment in deployments],
            totals=figures(merge(buckets)),
        )
        return found, buckets

    async def knows(self, model: str, version: str = "") -> bool:
        """Whether anything was ever counted of it."""
        selection = _selection(model, version, None)._replace(stages=frozenset(Stage))
        if any(selection.covers(series) for batch in self._unwritten() for series in batch.buckets):
            return True
        return await self._registry.perform(lambda transaction: transaction.traffic.knows(selection))

    async def _read(self, selection: Selection, steps: Steps) -> tuple[list[Bucket], list[Deployment]]:
        begins, ends = _moment(steps.from_s), _moment(steps.to_s)

        def read(transaction: Transaction) -> tuple[list[Bucket], list[Deployment]]:
            rows = transaction.traffic.read(selection, steps.resolution, steps.from_s, steps.to_s)
            known = transaction.traffic.written([batch.key for batch in waiting])
            found = [(at_s, unpack(bucket)) for at_s, bucket in rows]
            found += _of(selection, (batch for batch in waiting if batch.key not in known))
            swaps = transaction.deployments.begun_between(begins, ends, selection.model)
            return _by_step(found, steps), swaps

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


def _by_step(found: Iterable[tuple[int, Bucket]], steps: Steps) -> list[Bucket]:
    by_step: defaultdict[int, list[Bucket]] = defaultdict(list)
    for at_s, bucket in found:
        if steps.from_s <= at_s < steps.to_s:
            by_step[steps.index(at_s)].append(bucket)
    return [merge(by_step.get(number, ())) for number in range(steps.count)]


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
