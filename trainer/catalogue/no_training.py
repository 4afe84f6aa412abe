"""A daemon that trains nothing: what the store knows of runs is shown all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from core.errors import NotTrainable
from trainer.catalogue.views import RunView
from trainer.catalogue.wishes import Asked, Doing


class NoTraining:
    """The `Control` of it."""

    def __init__(self, opened: Callable[[], Sequence[RunView]] = tuple) -> None:
        """`opened`: the runs of another daemon that are not over."""
        self._opened = opened

    def open(self) -> Sequence[RunView]:
        return self._opened()

    async def start(self, model: str, asked: Asked, by: str, doing: Doing) -> NoReturn:
        raise NotTrainable("this server trains nothing")

    async def cancel(self, run: RunView, by: str) -> NoReturn:
        raise NotTrainable("this server trains nothing")

    async def retry(self, run: RunView, by: str) -> NoReturn:
        raise NotTrainable("this server trains nothing")

    async def accept(self, run: RunView, by: str) -> NoReturn:
        raise NotTrainable("this server trains nothing")
