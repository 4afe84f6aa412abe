"""Tells the registry what is live from when on, and why; serving never waits for that."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from core.errors import PawlError
from core.release import Served
from core.steering import Cause, Deployment
from core.task import spawn
from loader.controller.model_controller import ModelController
from registry.registry import Registry
from server.steering.decisions.rows import Rows
from server.steering.ledger.causes import Before, Why, after_entry, cause_of
from server.steering.outcomes import live_of

if TYPE_CHECKING:
    from registry.transaction import Transaction  # imports SQLAlchemy, which the start can't wait for

log = logging.getLogger("pawl.steering")

_WAITING = 10_000
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_S = 2.0
"""For what waits to be written when the daemon stops."""


@dataclass(frozen=True)
class _Begun:
    deployment: Deployment
    since: datetime | None
    """When what was live here before went live."""
    follows: str = ""
    """Id of the release that was live here before; empty: none was."""


@dataclass(frozen=True)
class _Ended:
    model: str
    at: datetime


class DeploymentLedger:
    """A part of the daemon. `observe` is called whenever something became of a model."""

    def __init__(
        self,
        registry: Registry,
        rows: Callable[[], Rows | None],
        restored: Mapping[str, Served],
        is_shared: bool,
    ) -> None:
        """`restored`: what was live when the server stopped. `is_shared`: other daemons may have gone on meanwhile."""
        self._registry = registry
        self._rows = rows
        self._restored = restored
        self._is_shared = is_shared
        self._live: dict[str, Before] = {}
        self._lifted: dict[str, Why] = {}
        """Models whose pin or rejection was lifted, by whom and why, until they have followed."""
        self._asked: dict[str, dict[str, Why]] = {}
        """Of models the releases that somebody asked for and that are not live yet, by whom and why."""
        self._waiting: deque[_Begun | _Ended] = deque(maxlen=_WAITING)
        self._news = asyncio.Event()
        self._may_begin = asyncio.Event()
        self._trouble = ""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = spawn(self._run(), "ledger of deployments")

    def begin(self) -> None:
        """Write from now on, what waits first."""
        self._may_begin.set()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._may_begin.is_set():
            with suppress(PawlError, TimeoutError):
                await asyncio.wait_for(self._flush(), _LAST_S)

    def lifted(self, model: str, why: Why) -> None:
        """What held a model goes: what comes of that is put down to whoever did it."""
        self._lifted[model] = why

    def followed(self, model: str) -> None:
        """What comes of it has come."""
        self._lifted.pop(model, None)

    def asked(self, served: Served, why: Why) -> None:
        """Somebody asked for a release; it is put down to him, though another is asked for before it is live."""
        model = served.release.model
        self._asked.setdefault(model, {})[served.release.id] = why
        self.followed(model)

    def settled(self, model: str) -> None:
        """Nothing that was asked for is still to come."""
        self._asked.pop(model, None)

    def observe(self, controller: ModelController) -> None:
        model, live, before = controller.model, live_of(controller), self._live.get(controller.model)
        now = datetime.now(UTC)
        if live is None:
            if before is not None and (controller.wanted is None or controller.is_withheld):
                del self._live[model]
                self._tell(_Ended(model, now))
            return
        if before is not None and before.served == live and before.served.release.run == live.release.run:
            return
        asked = self._asked.get(model, {}).pop(live.release.id, None)
        restored = self._restored.get(model)
        earlier = restored if before is None else before.served
        why = cause_of(live, before, restored, self._rows(), self._lifted.get(model), asked)
        self._live[model] = Before(live, now)
        release, version = live
        deployment = Deployment(
            model=model,
            release=release.id,
            cause=why.cause,
            version=version.label,
            commit=version.commit,
            run=release.run or "",
            began_at=now,
            actor=why.actor,
            reason=why.reason,
        )
        ever = _EVER if self._is_shared and why.cause is Cause.RESTART else None
        follows = "" if earlier is None else earlier.release.id
        self._tell(_Begun(deployment, ever if before is None else before.at, follows))

    def _tell(self, entry: _Begun | _Ended) -> None:
        self._waiting.append(entry)
        self._news.set()

    async def _run(self) -> None:
        await self._may_begin.wait()
        while True:
            self._news.clear()
            try:
                await self._flush()
                self._note("")
            except PawlError as error:
                self._note(str(error))
                await asyncio.sleep(self._registry.pause_s)
            except Exception:
                log.exception("a failure of Pawl's own while writing the ledger of deployments; an entry is lost")
                self._waiting.popleft()
            if not self._waiting:
                await self._news.wait()

    async def _flush(self) -> None:
        """The oldest first, each in a transaction of its own: an entry that was written is written once."""
        while self._waiting:
            entry = self._waiting[0]
            await self._registry.perform(partial(_write, entry))
            if self._waiting and self._waiting[0] is entry:
                self._waiting.popleft()

    def _note(self, trouble: str) -> None:
        if trouble and not self._trouble:
            log.warning("what is live can't be written to the ledger; it is tried again: %s", trouble)
        self._trouble = trouble


def _write(entry: _Begun | _Ended, transaction: Transaction) -> None:
    match entry:
        case _Begun(deployment, since, follows):
            now = transaction.deployments.going_on(deployment.model)
            transaction.deployments.begin(after_entry(deployment, follows, now), since)
        case _Ended(model, at):
            transaction.deployments.end(model, at)
