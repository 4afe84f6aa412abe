"""A daemon that trains nothing: what the store knows of runs is shown all the same."""

from __future__ import annotations

from typing import NoReturn

from core.errors import NotTrainable
from trainer.catalogue.views import RunView
from trainer.catalogue.wishes import Asked


class NoTraining:
    """The `Control` of it."""

    def open(self) -> tuple[RunView, ...]:
        return ()

    async def start(self, model: str, asked: Asked) -> NoReturn:
        raise NotTrainable("this server trains nothing")

    async def cancel(self, run: RunView, reason: str) -> NoReturn:
        raise NotTrainable("this server trains nothing")

    async def retry(self, run: RunView, reason: str) -> NoReturn:
        raise NotTrainable("this server trains nothing")

    async def accept(self, run: RunView, reason: str) -> NoReturn:
        raise NotTrainable("this server trains nothing")
