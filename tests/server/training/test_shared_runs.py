"""Daemons with one database, of which one trains."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import msgspec

from core.manifest.train import Train
from core.runs.states import RunState
from registry.registry import Registry
from registry.transaction import Transaction
from server.training.shared_runs import SharedRuns, _decoded, _exchanged
from trainer.attempt.progress import Reached
from trainer.open_states import OpenState
from trainer.records.open_runs import RunFile

RUN = RunFile(run="a" * 12, model="Iris", commit="c" * 40, code_key="d" * 12, train=Train(), queued_at=1.0, asked=True)
OF_THE_HEAD = RunFile(run="b" * 12, model="Iris", commit="c" * 40, code_key="e" * 12, train=Train(), queued_at=2.0)


@asynccontextmanager
async def two(
    folder: Path, is_ours: Callable[[], bool] = lambda: True, epoch: Callable[[], int] = lambda: 1
) -> AsyncIterator[tuple[SharedRuns, SharedRuns]]:
    """The first trains as long as `is_ours`, by a lease of that epoch."""
    registry = Registry(f"sqlite:///{folder / 'registry.db'}")
    trains = SharedRuns(registry, epoch, lambda _, told: is_ours() and told == epoch())
    other = SharedRuns(registry, lambda: 0, lambda *_: False)
    tasks = [asyncio.create_task(one.run(lambda: None)) for one in (trains, other)]
    try:
        yield trains, other
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        registry.close()


async def come(holds: Callable[[], object], *all_: SharedRuns) -> None:
    async with asyncio.timeout(60):
        while not holds():
            for one in all_:
                one.hasten()
            await asyncio.sleep(0.02)


def running(run: RunFile) -> OpenState:
    return OpenState(run, RunState.RUNNING, 1, None)


def test_what_is_asked_of_one_is_known_to_the_one_that_trains_and_its_progress_to_all(tmp_path: Path) -> None:
    async def test() -> None:
        async with two(tmp_path) as (trains, other):
            await other.ask(RUN)
            assert [state.state for state in other.follow()] == [RunState.QUEUED]
            await come(trains.asked, trains)
            assert trains.asked() == [RUN]
            trains.tell([running(RUN), running(OF_THE_HEAD)], over=())
            await come(lambda: other.follow() == [running(RUN), running(OF_THE_HEAD)], other)
            assert trains.asked() == [RUN], "another takes it up where the one that trains is lost"

    asyncio.run(test())


def test_what_is_over_is_forgotten_unless_it_was_asked_for_again(tmp_path: Path) -> None:
    async def test() -> None:
        async with two(tmp_path) as (trains, other):
            await other.ask(RUN)
            await other.ask(OF_THE_HEAD)
            await come(lambda: len(trains.asked()) == 2, trains)
            again = msgspec.structs.replace(RUN, started_by="asked again during the look")
            await other.ask(again)
            await come(lambda: again in [state.run for state in trains.follow()], trains)
            trains.tell([running(OF_THE_HEAD)], over=[RUN.run])
            await come(lambda: running(OF_THE_HEAD) in other.follow(), other)
            assert again in other.asked()
            assert len(trains.asked()) == 2
            trains.tell([], over=[RUN.run, OF_THE_HEAD.run])
            await come(lambda: not other.follow(), other)

    asyncio.run(test())


def test_who_has_lost_the_lease_changes_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        is_ours = True
        async with two(tmp_path, lambda: is_ours) as (trains, other):
            trains.tell([running(OF_THE_HEAD)], over=())
            await come(lambda: other.follow() == [running(OF_THE_HEAD)], other)
            is_ours = False
            trains.tell([], over=())
            await other.ask(RUN)
            await come(trains.asked, trains)
            assert len(other.follow()) == 2

    asyncio.run(test())


def test_what_was_told_before_another_had_the_lease_is_not_written(tmp_path: Path) -> None:
    async def test() -> None:
        epochs = {"now": 1}
        async with two(tmp_path, epoch=lambda: epochs["now"]) as (trains, other):
            trains.tell([running(OF_THE_HEAD)], over=())
            epochs["now"] = 3
            await other.ask(RUN)
            await come(trains.asked, trains)
            assert [state.run for state in other.follow()] == [RUN]
            trains.tell([running(OF_THE_HEAD)], over=())
            await come(lambda: len(other.follow()) == 2, trains, other)

    asyncio.run(test())


def test_what_one_writes_itself_is_no_news_to_it(tmp_path: Path) -> None:
    async def test() -> None:
        registry = Registry(f"sqlite:///{tmp_path / 'registry.db'}")
        trains, news = SharedRuns(registry, lambda: 1, lambda *_: True), list[str]()
        task = asyncio.create_task(trains.run(lambda: news.append("news")))
        try:
            for attempt in (1, 2, 3):
                trains.tell([OpenState(OF_THE_HEAD, RunState.RUNNING, attempt, None)], over=())
                await come(lambda attempt=attempt: [s.attempt for s in rows(trains)] == [attempt], trains)  # type: ignore[misc]
            assert not news
            await SharedRuns(registry, lambda: 0, lambda *_: False).ask(RUN)
            await come(lambda: news, trains)
            assert trains.asked() == [RUN]
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            registry.close()

    asyncio.run(test())


def rows(shared: SharedRuns) -> list[OpenState]:
    """As they were read last."""
    return [state for row in shared._rows.values() if (state := _decoded(row)) is not None]


def test_others_are_told_at_once_of_another_stage_and_not_of_each_step(tmp_path: Path) -> None:
    registry = Registry(f"sqlite:///{tmp_path / 'registry.db'}")
    urgent: list[bool] = []

    class OpenRuns:
        def __init__(self, transaction: Transaction) -> None:
            self.all, self.forget = transaction.open_runs.all, transaction.open_runs.forget
            self._tell = transaction.open_runs.tell

        def tell(self, states: Mapping[str, str], *, is_urgent: bool) -> None:
            urgent.append(is_urgent)
            self._tell(states, is_urgent=is_urgent)

    def write(state: RunState, step: int) -> None:
        reached = Reached(state=state, what="trains", step=step)
        shared = SharedRuns(registry, lambda: 1, lambda *_: True)
        shared.tell([OpenState(OF_THE_HEAD, state, 1, reached)], over=())
        with registry.transaction() as transaction:
            _exchanged(shared._told, lambda *_: True, SimpleNamespace(open_runs=OpenRuns(transaction)))  # type: ignore[arg-type]

    write(RunState.PENDING, 0)
    for step in (1, 2, 3):
        write(RunState.RUNNING, step)
    write(RunState.EVALUATING, 3)
    registry.close()
    assert urgent == [True, True, False, False, True]
