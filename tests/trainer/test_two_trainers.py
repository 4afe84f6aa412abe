"""Two daemons with one database, whose clock the test sets: one of them trains."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from core.errors import StoreUnavailable
from core.runs.states import RunState
from tests.trainer.pushes import Pushes, come
from trainer.lease import SECONDS, Lease
from trainer.open_states import OpenState
from trainer.sharing import NotShared

FITS = """
def train(output):
    open(output + "m", "w").close()
    return 1
"""
STEP_S = 4.0


class Database:
    """Its lease, and its clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.holder = ""
        self.until = 0.0
        self.epoch = 0
        self.away_for = ""
        self.asked = {"a": 0, "b": 0}

    def lease(self, name: str) -> Lease:
        async def take(seconds: float) -> int:
            self.asked[name] += 1
            if self.away_for == name:
                raise StoreUnavailable("the database is away")
            if self.holder != name and self.now < self.until:
                return 0
            self.epoch += self.holder != name
            self.holder, self.until = name, self.now + seconds
            return self.epoch

        async def give_back() -> None:
            self.until = self.now

        return Lease(take, give_back, lambda: self.now)

    async def pass_time(self, seconds: float) -> None:
        """Both have asked once after each step."""
        for _ in range(int(seconds / STEP_S)):
            self.now += STEP_S
            before = dict(self.asked)
            await come(lambda before=before: all(self.asked[name] > before[name] for name in before))  # type: ignore[misc]


class Pair:
    def __init__(self, folder: Path) -> None:
        self.database = Database()
        self.a, self.b = (self._pushes(folder, name) for name in "ab")

    def _pushes(self, folder: Path, name: str) -> Pushes:
        (folder / name).mkdir()
        pushes = Pushes(folder / name)
        pushes.lease = self.database.lease(name)
        return pushes


class SlowData:
    """Reading it takes until `come` is set."""

    def __init__(self) -> None:
        self.is_read = threading.Event()
        self.come = threading.Event()

    def __call__(self, address: str, git_ids: Mapping[str, str]) -> str:
        self.is_read.set()
        self.come.wait(60)
        return "1"


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


@pytest.fixture
def data() -> Iterator[SlowData]:
    data = SlowData()
    yield data
    data.come.set()


def test_who_reads_data_for_longer_than_a_lease_lasts_keeps_it(pair: Pair, data: SlowData) -> None:
    async def test() -> None:
        async with pair.a.following() as training:
            await come(lambda: training.trainer.acts)
            async with pair.b.following() as other:
                doing = asyncio.ensure_future(training.trainer.perform(lambda: data("", {})))
                await come(data.is_read.is_set)
                await pair.database.pass_time(3 * SECONDS)
                assert (pair.database.holder, pair.database.epoch, other.trainer.acts) == ("a", 1, False)
                data.come.set()
                await doing

    asyncio.run(test())


def test_who_lost_the_lease_while_it_read_data_begins_nothing(pair: Pair, data: SlowData) -> None:
    pair.a.fingerprint = data

    async def test() -> None:
        async with pair.a.following() as training:
            await come(lambda: training.trainer.acts)
            for pushes in (pair.a, pair.b):
                pushes.push(train=FITS, yaml="train: {dataset: data.csv}", **{"data.csv": "1"})
            await come(data.is_read.is_set)
            async with pair.b.following() as other:
                pair.database.away_for = "a"
                await pair.database.pass_time(2 * SECONDS)
                await come(lambda: pair.b.accepted and not other.trainer.open)
                assert pair.database.holder == "b"
                data.come.set()
                await come(lambda: not training.trainer.acts)
                await training.trainer.perform(lambda: None)
                assert [result.state for result in pair.b.results()] == [RunState.SUCCEEDED]
        assert not pair.a.results()
        assert not list(pair.a.data.glob("runs/*/a1"))

    asyncio.run(test())


class Telling(NotShared):
    """Keeps what others are told."""

    def __init__(self) -> None:
        self.told: list[list[RunState]] = []

    def tell(self, states: Sequence[OpenState], over: Collection[str]) -> None:
        self.told.append([state.state for state in states])


def test_what_was_seen_before_another_held_the_lease_is_not_told(pair: Pair, data: SlowData) -> None:
    pair.a.sharing, pair.a.fingerprint = telling, _ = Telling(), data

    async def test() -> None:
        async with pair.a.following():
            await come(lambda: telling.told)
            pair.a.push(train=FITS, yaml="train: {dataset: data.csv}", **{"data.csv": "1"})
            await come(data.is_read.is_set)
            telling.told.clear()
            pair.database.holder, pair.database.epoch = "b", 2
            pair.database.until = pair.database.now = STEP_S
            await come(lambda: pair.a.lease.epoch == 3)
            data.come.set()
            await come(lambda: telling.told)
            assert RunState.QUEUED not in telling.told[0], "the run was opened before, and not begun then"

    asyncio.run(test())
