"""One at a time in a store that knows no locks and no "unless it is there": Lamport's bakery.

A new arrangement of Dijkstra's concurrent programming problem, Communications of the ACM 17 (1974). It asks of the
store that a list shows every write that has ended, which S3, Google Cloud Storage and Azure promise.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import Protocol

from loader.artifacts.files.files import Stored


class Board(Protocol):
    """Where those who wait see each other."""

    def write(self, name: str, content: bytes) -> None: ...

    def files(self, under: str) -> list[Stored]: ...

    def drop(self, name: str) -> None: ...


@contextmanager
def take_turn(board: Board, name: str, pause: Callable[[float], None] = time.sleep) -> Iterator[None]:
    """Nobody else has a turn for that name meanwhile. Raises TimeoutError when others take too long.

    Those who died in theirs are passed over once a minute has gone by.
    """
    at, me = f"turns/{sha256(name.encode()).hexdigest()[:32]}", uuid.uuid4().hex
    choosing = f"{_CHOOSING}{me}"
    ticket = ""
    try:
        board.write(f"{at}/{choosing}", b"-")
        ticket = f"{1 + max(map(_number, board.files(at)), default=0):09}-{me}"
        board.write(f"{at}/{ticket}", b"-")
        board.drop(f"{at}/{choosing}")
        _wait(board, at, ticket, pause)
        yield
    finally:
        for mine in (choosing, ticket):
            with suppress(OSError):
                board.drop(f"{at}/{mine}")


def _wait(board: Board, at: str, ticket: str, pause: Callable[[float], None]) -> None:
    for _ in range(_LOOKS):
        if not _ahead(board.files(at), ticket):
            return
        pause(_PAUSE_S)
    raise TimeoutError("others have been writing the same for too long")


def _ahead(files: list[Stored], ticket: str) -> list[str]:
    own = next((file.changed for file in files if file.name == ticket), None)
    if own is None:
        raise TimeoutError("the turn was taken away meanwhile")
    living = [file.name for file in files if file.changed > own - _DEAD_S and file.name != ticket]
    return [name for name in living if name.startswith(_CHOOSING) or name < ticket]


def _number(file: Stored) -> int:
    number = file.name.partition("-")[0]
    return int(number) if number.isdigit() else 0


_CHOOSING = "choosing-"
_PAUSE_S = 0.1
_LOOKS = 150
_DEAD_S = 60.0
