"""Work on the registry in a thread, for whoever must not block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from registry.transaction import Transaction

T = TypeVar("T")


class BackgroundWork(Generic[T]):
    """One transaction, in a thread that the end of the process doesn't wait for: the database may hang for long."""

    def __init__(
        self, transaction: Callable[[], AbstractContextManager[Transaction]], work: Callable[[Transaction], T]
    ) -> None:
        """In an event loop's thread."""
        self._transaction = transaction
        self._work = work
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[T] = self._loop.create_future()
        """The work's answer, or what it or the transaction raised."""
        self._is_unwanted = threading.Event()
        threading.Thread(target=self._run, name="registry work", daemon=True).start()

    def give_up(self) -> None:
        """Nobody waits any more: don't commit it, if that hasn't begun."""
        self._is_unwanted.set()

    def _run(self) -> None:
        try:
            with self._transaction() as transaction:
                answer = self._work(transaction)
                if self._is_unwanted.is_set():
                    raise _Unwanted
        except BaseException as error:
            settle: Callable[[], None] = partial(self._settle, error=error)
        else:
            settle = partial(self._settle, answer=answer)
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(settle)

    def _settle(self, *, answer: T | None = None, error: BaseException | None = None) -> None:
        if self.done.done():
            return
        if error is not None:
            self.done.set_exception(error)
        else:
            self.done.set_result(answer)  # type: ignore[arg-type]  # None may be a T


class _Unwanted(Exception):
    """Rolls the transaction back."""
