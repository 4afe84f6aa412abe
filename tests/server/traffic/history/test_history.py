"""The history of traffic by a clock of our own, over real databases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from core.steering import Cause, Deployment
from core.traffic.bucket import Bucket, Series, Stage
from core.traffic.histogram import DURATION_BOUNDS_NS, Histogram
from registry.errors import RegistryUnavailable
from registry.registry import Registry
from server.traffic.history.history import History, TrafficHistory
from server.traffic.history.leftover import Leftover
from server.traffic.history.writer import TrafficWriter

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
IRIS = Series("Iris", "v1")
MS = 1_000_000


def bucket(count: int, took_ms: int = 5, status: int = 200) -> Bucket:
    index = DURATION_BOUNDS_NS.index(took_ms * MS)
    return Bucket({status: count}, Histogram({index: count}, count * took_ms * MS), batches=Histogram({2: 1}, 3))


class Place:
    """A registry's file, which may be away, and a daemon's part at some time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOON.timestamp()
        self.begin()

    def begin(self) -> None:
        """As a daemon that starts."""
        self.registry = Registry(f"sqlite:///{self.folder / 'db' / 'registry.db'}", pause_s=0.01)
        self.writer = TrafficWriter(self.registry, Leftover(self.folder / "traffic.waiting"), lambda: self.now)
        self.history = TrafficHistory(self.registry, self.writer, lambda: self.now)

    def count(self, minute: float, series: Series, counted: Bucket) -> None:
        self.now = NOON.timestamp() + 60 * minute
        self.writer.take(series, counted)

    async def write(self) -> bool:
        self.writer.minutes.close(self.now)
        return await self.writer.write()

    async def ask(self, begins: int, ends: int, *, version: str = "", stage: Stage | None = None) -> History:
        """Of a model, in minutes from noon."""
        at = [NOON + timedelta(minutes=minute) for minute in (begins, ends)]
        return await self.history.query("Iris", version, *at, 60, stage)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "db").mkdir()
    return Place(tmp_path)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await test()

    asyncio.run(bounded())


def test_what_is_written_and_what_is_not_are_one_answer(place: Place) -> None:
    async def test() -> None:
        place.count(0, IRIS, bucket(2))
        place.count(1, IRIS, bucket(3))
        assert await place.write()
        place.count(1.5, IRIS, bucket(4))
        place.count(2, IRIS, bucket(5))
        told = await place.ask(0, 4)
        assert [point.requests for point in told.points] == [2, 7, 5, 0]
        assert told.totals.requests == 14
        assert await place.write()
        assert (await place.ask(0, 4)).totals == told.totals

    run(test)


def test_an_answer_ends_before_its_end_and_an_empty_step_is_zero_and_null(place: Place) -> None:
    async def test() -> None:
        for minute in range(4):
            place.count(minute, IRIS, bucket(10**minute))
        told = msgspec.to_builtins(await place.ask(1, 3))
        assert [point["requests"] for point in told["points"]] == [10, 100]
        assert (told["from"], told["to"], told["step_s"]) == ("2026-06-21T12:01:00Z", "2026-06-21T12:03:00Z", 60)
        [empty] = msgspec.to_builtins(await place.ask(-1, 0))["points"]
        nothing = dict.fromkeys(("p50_ms", "p95_ms", "p99_ms", "mean_ms", "batch_mean"))
        assert empty == {"at": "2026-06-21T11:59:00Z", "requests": 0, "by_status": {}, **nothing}

    run(test)


def test_percentiles_are_of_all_answers_and_no_average_of_averages(place: Place) -> None:
    async def test() -> None:
        place.count(0, IRIS, bucket(999))
        place.count(1, IRIS, bucket(1, took_ms=1000, status=500))
        told = await place.ask(0, 2)
        assert [point.p50_ms for point in told.points] == [pytest.approx(4.5, abs=0.5), pytest.approx(875, abs=125)]
        assert told.totals.p50_ms == pytest.approx(4.5, abs=0.5)
        assert told.totals.p99_ms == pytest.approx(4.5, abs=0.5)
        assert told.totals.mean_ms == pytest.approx((999 * 5 + 1000) / 1000, abs=0.001)
        assert told.totals.by_status == {"200": 999, "500": 1}
        assert told.totals.batch_mean == 3

    run(test)


def test_of_everything_a_model_a_version_and_a_stage(place: Place) -> None:
    async def test() -> None:
        trained = Series("Iris", "v2", Stage.VERSION, "c" * 40, "0123456789ab")
        shadow = Series("Iris", "v3", Stage.SHADOW)
        for count, series in enumerate((IRIS, trained, shadow, Series("Churn", "v1"))):
            place.count(0, series, bucket(10**count))
        for _ in range(2):  # as it waits, and as it is written
            assert (await place.ask(0, 1)).totals.requests == 11  # a copy is no client's request
            assert (await place.ask(0, 1, version="v2")).totals.requests == 10
            assert (await place.ask(0, 1, version="run-0123456789ab")).totals.requests == 10
            assert (await place.ask(0, 1, stage=Stage.SHADOW)).totals.requests == 100
            everything = await place.history.query("", "", NOON, NOON + timedelta(minutes=1))
            assert everything.totals.requests == 1011
            assert await place.history.knows("Iris", "v2")
            assert not await place.history.knows("Iris", "v9")
            place.now += 60
            assert await place.write()

    run(test)


def test_swaps_are_those_of_the_ledger_in_that_time(place: Place) -> None:
    async def test() -> None:
        with place.registry.transaction() as transaction:
            for minute, version in ((-5, "v1"), (1, "v2"), (2, "v3")):
                began = NOON + timedelta(minutes=minute)
                deployment = Deployment(
                    model="Iris", release=version, version=version, cause=Cause.PUSH, began_at=began, commit="c" * 40
                )
                transaction.deployments.begin(deployment)
        told = await place.ask(0, 2)
        assert [(swap.version, swap.at, swap.cause, swap.run) for swap in told.swaps] == [
            ("v2", NOON + timedelta(minutes=1), "push", None)
        ]

    run(test)


def test_while_the_registry_is_away_minutes_wait_and_are_written_once_it_is_back(place: Place) -> None:
    async def test() -> None:
        (place.folder / "db").rename(place.folder / "away")
        for minute in range(3):
            place.count(minute, IRIS, bucket(1))
            assert not await place.write() or minute == 0
        with pytest.raises(RegistryUnavailable):
            await place.ask(0, 3)
        (place.folder / "away").rename(place.folder / "db")
        while not await place.write():  # noqa: ASYNC110  it is opened anew after a pause
            await asyncio.sleep(0.01)
        assert (await place.ask(0, 3)).totals.requests == 3

    run(test)


def test_a_stop_while_the_registry_is_away_loses_nothing(place: Place) -> None:
    async def test() -> None:
        await place.writer.start()
        place.count(0, IRIS, bucket(1))
        (place.folder / "db").rename(place.folder / "away")
        place.count(1, IRIS, bucket(2))
        await place.writer.stop()
        (place.folder / "away").rename(place.folder / "db")
        for _ in range(2):
            place.begin()
            await place.writer.start()
            await place.writer.stop()
            assert (await place.ask(0, 2)).totals.requests == 3
            assert not (place.folder / "traffic.waiting").exists()

    run(test)


def test_what_was_read_twice_from_an_earlier_daemon_counts_once(place: Place) -> None:
    async def test() -> None:
        place.count(0, IRIS, bucket(1))
        place.writer.minutes.close(place.now, early=True)
        leftover = Leftover(place.folder / "traffic.waiting")
        leftover.save(place.writer.minutes.unwritten())
        assert await place.write()
        place.begin()
        place.writer.minutes.put_back(leftover.read())
        assert await place.write()
        assert (await place.ask(0, 1)).totals.requests == 1

    run(test)


def test_what_was_written_without_anybody_knowing_counts_once(place: Place) -> None:
    async def test() -> None:
        place.count(0, IRIS, bucket(1))
        place.writer.minutes.close(place.now + 60)
        batch = place.writer.minutes.next()
        assert batch is not None
        with place.registry.transaction() as transaction:
            transaction.traffic.add(batch.key, batch.at_s, batch.buckets, batch.resolution)
        assert (await place.ask(0, 1)).totals.requests == 1

    run(test)


def test_a_last_step_that_is_cut_off_has_nothing_from_beyond_the_end(place: Place) -> None:
    async def test() -> None:
        for minute in range(4):
            place.count(minute, IRIS, bucket(10**minute))
        told = await place.history.query("Iris", "", NOON, NOON + timedelta(minutes=3), 120)
        assert [point.requests for point in told.points] == [11, 100]

    run(test)
