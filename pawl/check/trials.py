"""Sends a pool the examples of its model, one by one, whatever becomes of each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from loader.workers.examples import Example, Outcome, try_example
from loader.workers.pool import Pool
from loader.workers.report import Happening, Report
from pawl.check.verdict import Trial
from worker.wire.client import WorkerConnection, connect

_REPLACED_WITHIN_S = 60.0
_TOLD_WITHIN_S = 2.0
"""An answer and the traceback behind it come over different channels."""


class Trials:
    """`changed` and `report` are to be given to the pool when it is made."""

    def __init__(self) -> None:
        self._reports: list[Report] = []
        self._changed = asyncio.Event()

    def changed(self) -> None:
        self._changed.set()

    def report(self, report: Report) -> None:
        self._reports.append(report)
        self._changed.set()

    async def run(self, pool: Pool, examples: Sequence[Example]) -> tuple[Trial, ...]:
        return tuple([await self._try(pool, index, example) for index, example in enumerate(examples)])

    async def _try(self, pool: Pool, index: int, example: Example) -> Trial:
        timeout_s = pool.release.manifest.serve.timeout_s
        told = len(self._reports)
        try:
            connection = await self._connect(pool)
        except TimeoutError:
            outcome = Outcome(seconds=0.0, answer=None, fault="not tried: the worker died and did not come back")
        else:
            try:
                outcome = await try_example(connection, example, timeout_s)
            finally:
                connection.close()
        why = await self._why(outcome, told)
        return Trial(
            index=index,
            ok=outcome.fault is None,
            milliseconds=round(outcome.seconds * 1000, 2),
            fault=_fault(outcome, why),
            answer=outcome.answer,
            traceback=why.detail if why else "",
        )

    async def _connect(self, pool: Pool) -> WorkerConnection:
        """A connection to a worker; to the next one, if the last died of an example."""
        async with asyncio.timeout(_REPLACED_WITHIN_S):
            while True:
                self._changed.clear()
                for path in pool.sockets:
                    with contextlib.suppress(OSError):
                        return await connect(path)
                await self._changed.wait()

    async def _why(self, outcome: Outcome, told: int) -> Report | None:
        """What the pool reports of an example that raised, or of which the worker died."""
        error_id = outcome.error_id
        if outcome.fault is None or (outcome.answer is not None and not error_id):
            return None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TOLD_WITHIN_S):
                while True:
                    self._changed.clear()
                    for report in self._reports[told:]:
                        if (error_id in report.message) if error_id else report.happening is Happening.LOST:
                            return report
                    await self._changed.wait()
        return None


def _fault(outcome: Outcome, why: Report | None) -> str | None:
    if outcome.answer is None and why is not None:
        return f"{outcome.fault}: {why.message}"
    return outcome.fault
