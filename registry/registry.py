"""The durable record, which everybody who reads or writes it is given."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from registry.background_work import BackgroundWork
from registry.errors import RegistryBegunAnew, RegistryUnavailable
from registry.sqlite_file import fault_of, make_private, set_aside

if TYPE_CHECKING:
    from registry.database import Database
    from registry.transaction import Transaction

log = logging.getLogger("pawl.registry")

T = TypeVar("T")
_PAUSE_S = 2.0
_AT_ONCE = 16
"""Works that are performed at a time."""
_TURN_S = 5.0


class Registry:
    """A database that may be slow, locked, full, damaged or gone, and is opened anew once it is back.

    Nothing is opened before it is used, for SQLAlchemy takes a third of a second to import.
    """

    def __init__(self, url: str, *, file: Path | None = None, pause_s: float = _PAUSE_S, audit_days: int = 400) -> None:
        """`file`: where the database is, if it is a file of our own; what can't hold it is set aside there.

        `pause_s`: between two tries at opening it. `audit_days`: how long what people did is kept.
        """
        self.pause_s = pause_s
        self._url = url
        self._audit_days = audit_days
        self._file = file
        self._database: Database | None = None
        self._failed: tuple[float, RegistryUnavailable] | None = None
        """When it could last not be opened, and why."""
        self._opening = threading.Lock()
        self._turns = threading.Lock() if url.startswith("sqlite") else None
        """SQLite has one writer, and a file may only be set aside while nobody writes to it."""
        self._performing = 0

    @contextmanager
    def transaction(self, *, again: bool = False) -> Iterator[Transaction]:
        """What is done in the block is committed at its end, or not done at all if it raises. Blocks.

        Raises RegistryUnavailable; for a while after the database could not be opened, at once, unless `again`.
        """
        from registry.transaction import Transaction

        with self._turn():
            database = self._open(again)
            try:
                with database.begin() as connection:
                    yield Transaction(connection, self._audit_days)
            except RegistryUnavailable as error:
                self._close(database)
                raise self._clear_the_way(error) from error

    async def perform(self, work: Callable[[Transaction], T], timeout_s: float = 10.0) -> T:
        """Do the work in one transaction, in a thread: its answer, once it is committed.

        Raises RegistryUnavailable, also where the database doesn't answer in time; the work is then not committed,
        unless a commit was under way.
        """
        if self._performing >= _AT_ONCE:
            raise RegistryUnavailable("the registry's database is behind; ask again later")
        begun = BackgroundWork(self.transaction, work)
        self._performing += 1
        begun.done.add_done_callback(self._performed)
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(begun.done)
        except TimeoutError as error:
            begun.give_up()
            raise RegistryUnavailable(f"the registry's database did not answer within {timeout_s:g} s") from error

    def close(self) -> None:
        """Let go of the database, unless somebody is just using it."""
        if self._database is not None and self._opening.acquire(blocking=False):
            try:
                self._close(self._database)
            finally:
                self._opening.release()

    def _performed(self, done: asyncio.Future[T]) -> None:
        self._performing -= 1
        if not done.cancelled():
            done.exception()  # it may be that nobody waits for it any more

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._turns is None:
            yield
            return
        if not self._turns.acquire(timeout=_TURN_S):
            raise RegistryUnavailable("the registry's database is busy")
        try:
            yield
        finally:
            self._turns.release()

    def _open(self, again: bool) -> Database:
        if not self._opening.acquire(timeout=_TURN_S):
            raise RegistryUnavailable("the registry's database does not answer")
        try:
            database = self._database
            if database is not None and not database.is_replaced():
                return database
            if database is not None:
                self._close(database)
            self._refuse_while_it_rests(again)
            self._database = self._new_database()
            return self._database
        finally:
            self._opening.release()

    def _refuse_while_it_rests(self, again: bool) -> None:
        if self._failed is not None and not again:
            at, error = self._failed
            if time.monotonic() - at < self.pause_s:
                raise type(error)(str(error))

    def _new_database(self) -> Database:
        from registry.database import Database

        self._prepare_file()
        try:
            database = Database(self._url)
        except RegistryUnavailable as error:
            told = self._clear_the_way(error)
            if not isinstance(told, RegistryBegunAnew):
                self._failed = time.monotonic(), told
                raise told from error
            self._prepare_file()
            database = Database(self._url)
        self._failed = None
        return database

    def _close(self, database: Database) -> None:
        if self._database is database:
            self._database = None
        database.close()

    def _prepare_file(self) -> None:
        if self._file is None:
            return
        if (fault := fault_of(self._file, is_thorough=False)) is not None:
            self._set_aside(self._file, fault)
        make_private(self._file)

    def _clear_the_way(self, error: RegistryUnavailable) -> RegistryUnavailable:
        """The error to tell: that of the file, if it is the cause of this one."""
        if self._file is None or (fault := fault_of(self._file, is_thorough=True)) is None:
            return error
        try:
            self._set_aside(self._file, fault)
        except RegistryUnavailable as refused:
            return refused
        return RegistryBegunAnew("the registry's database was damaged, and is begun anew: try again")

    def _set_aside(self, file: Path, fault: str) -> None:
        try:
            aside = set_aside(file)
        except OSError as error:
            why = f"{file} can't hold the registry ({fault}) nor be set aside: {error.strerror}"
            raise RegistryUnavailable(why) from error
        log.error("%s can't hold the registry (%s): it is kept as %s, and begun anew", file, fault, aside.name)
