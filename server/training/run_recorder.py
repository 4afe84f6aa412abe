"""Writes runs that are over to the registry, for searching. What is lost of that is in the store."""

from __future__ import annotations

import logging
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from core.errors import PawlError
from core.runs.records import RunRecord
from core.task import spawn
from registry.registry import Registry

if TYPE_CHECKING:
    from registry.transaction import Transaction  # imports SQLAlchemy, which the start can't wait for

log = logging.getLogger("pawl.trainer")

_AT_A_TIME = 200
_MOST_WAITING = 20_000


class RunRecorder:
    """Those that come while others are being written are written together."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._waiting: deque[RunRecord] = deque(maxlen=_MOST_WAITING)
        self._is_writing = False

    def record(self, run: RunRecord) -> None:
        self._waiting.append(run)
        if not self._is_writing:
            self._is_writing = True
            spawn(self._write(), "record of runs")

    async def _write(self) -> None:
        try:
            while self._waiting:
                runs = [self._waiting.popleft() for _ in range(min(_AT_A_TIME, len(self._waiting)))]
                await self._registry.perform(partial(_put, runs))
        except PawlError as error:
            log.warning("the registry does not know of some runs, which are in the artifact store: %s", error)
        finally:
            self._is_writing = False


def _put(runs: list[RunRecord], transaction: Transaction) -> None:
    transaction.runs.put(*runs)
