"""Training as a part of the daemon: one loop, however it was woken."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TypeVar

from core.errors import StoreUnavailable
from core.task import every
from trainer.asked_runs import AskedRuns
from trainer.demand.demand import Demand, Trainable
from trainer.executor import ExecutorUnavailable
from trainer.lease import Held
from trainer.open_states import OpenState
from trainer.publisher import Publisher
from trainer.records.ended_runs import EndedRuns
from trainer.records.open_runs import RunFile
from trainer.run_controller import RunController
from trainer.sharing import Sharing

log = logging.getLogger("pawl.trainer")

T = TypeVar("T")

_BUSY_S = 0.5
"""Between two looks while a run is open."""
_IDLE_S = 1.0
_LAST_LOOK_S = 2.0
"""For what is under way when the daemon stops."""
_KEPT_S = 1.0
"""Between two times that the lease is seen to."""
_STUCK_S = 600.0
"""A look that takes longer, or waits for so long, hangs: another daemon is to train."""


class Trainer:
    """`run` until it is cancelled. What runs then goes on by itself, and is found again."""

    def __init__(
        self,
        demand: Demand,
        controller: RunController,
        ended_runs: EndedRuns,
        asked: AskedRuns,
        lease: Held,
        sharing: Sharing,
        heads: Callable[[], Mapping[str, Trainable] | None],
        publisher: Publisher,
    ) -> None:
        """`heads`: the models that train, at the followed head; None: it is not known yet."""
        self.open: list[OpenState] = []
        """The runs that are not over, as they were seen last, here or at the daemon that trains."""
        self.acts = False
        """Whether this daemon trains, as of the last look."""
        self._demand = demand
        self._controller = controller
        self._ended_runs = ended_runs
        self._asked = asked
        self._lease = lease
        self._sharing = sharing
        self._heads = heads
        self._publisher = publisher
        self._looked_at = 0.0
        self._dirty = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "trainer")

    def wake(self) -> None:
        """Look soon. For the loop's own thread."""
        self._dirty.set()

    async def run(self) -> None:
        self._looked_at = time.monotonic()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(every(_KEPT_S, self._keep_lease, "the lease of runs"), name="lease of runs")
                await self._follow()
        finally:
            await self._let_go()

    async def _keep_lease(self) -> None:
        """While a look reads data, or a person's wish is done, for longer than a lease lasts."""
        if time.monotonic() < self._looked_at + _STUCK_S:
            await self._lease.is_held()

    async def _follow(self) -> None:
        trouble = ""
        while True:
            self._looked_at = time.monotonic()
            self._dirty.clear()
            try:
                await self._look()
                trouble = ""
            except (StoreUnavailable, ExecutorUnavailable) as error:
                if str(error) != trouble:
                    log.warning("training waits: %s", error)
                trouble = str(error)
            except Exception:
                log.exception("a failure of Pawl's own while looking after runs; going on")
            with suppress(TimeoutError):
                async with asyncio.timeout(_BUSY_S if self.open and self.acts else _IDLE_S):
                    await self._dirty.wait()

    async def _let_go(self) -> None:
        """Another may act once nothing of ours does; what hangs keeps the lease to its end."""
        last = self._thread.submit(lambda: None)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_LOOK_S):
                await asyncio.wrap_future(last)
                await self._lease.give_back()

    async def perform(self, work: Callable[[], T]) -> T:
        """Do what a person asked for between two looks, and look at once."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self.wake()

    async def begin(self, run: RunFile) -> None:
        """Do a run that a person asked for, here or at the daemon that trains. Raises PawlError, OSError."""
        await self._sharing.ask(run)
        if await self._lease.is_held():
            await self.perform(partial(self._controller.open, run))
        self.wake()

    async def _look(self) -> None:
        known, self.acts = self._heads(), await self._lease.is_held()
        heads, epoch = known or {}, self._lease.epoch
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._publisher.read_back, heads.keys())
            self._publish(heads)  # what is at hand is served before anything is looked at for training
            if self.acts:
                asked = self._sharing.asked()
                self.open, over = await loop.run_in_executor(self._thread, self._act, known, asked, epoch)
                if self._lease.holds(epoch):  # else what was seen is of before another trained
                    self._sharing.tell(self.open, over)
            else:  # another does: what it accepts is served here too
                await loop.run_in_executor(self._thread, self._follow_other, heads)
                self.open = list(self._sharing.follow())
        finally:
            self._publish(heads)

    def _publish(self, heads: Mapping[str, Trainable]) -> None:
        self._publisher.publish(heads.keys(), self.open, acts=self.acts)

    def _act(
        self, heads: Mapping[str, Trainable] | None, asked: Sequence[RunFile], epoch: int
    ) -> tuple[list[OpenState], set[str]]:
        """The runs that are not over, and those that were asked for and are. By the lease as it is ours since `epoch`:
        where another has had it since, nothing more is done."""
        wanted = self._demand.wanted(heads or {})
        over = self._asked.take(asked)
        undecided = self._demand.undecided
        self._controller.look(
            wanted,
            partial(self._lease.holds, epoch),
            lambda run: heads is None or run.code_key in undecided,
        )
        opened = self._controller.states({run.run for run in wanted})
        if heads:
            self._prune({run.code_key for run in (*wanted, *(state.run for state in opened))})
        return opened, over

    def _follow_other(self, heads: Mapping[str, Trainable]) -> None:
        wanted = self._demand.wanted(heads)
        self._ended_runs.follow(wanted)
        if heads:
            self._prune({run.code_key for run in wanted})

    def _prune(self, code_keys: set[str]) -> None:
        self._demand.prune(code_keys | self._demand.undecided)
