"""What daemons that share a registry tell each other of runs that are not over."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from trainer.open_states import OpenState
from trainer.records.open_runs import RunFile


class Sharing(Protocol):
    """For the loop's own thread."""

    async def ask(self, run: RunFile) -> None:
        """Whichever of them trains is to do that run. Once it returns, no daemon's end loses it. Raises PawlError."""
        ...

    def asked(self) -> Sequence[RunFile]:
        """What people asked of any of them, and is not known to be over."""
        ...

    def follow(self) -> Sequence[OpenState]:
        """Another one trains: all runs that are not over, as it has told."""
        ...

    def tell(self, states: Sequence[OpenState], over: Collection[str]) -> None:
        """This one trains, and those are all its runs that are not over. `over`: of those that were asked for, the keys
        of such as have ended."""
        ...


class NotShared:
    """One daemon alone: what is asked of it is in its own files."""

    async def ask(self, run: RunFile) -> None:
        """There is nobody else to do it."""

    def asked(self) -> Sequence[RunFile]:
        return ()

    def follow(self) -> Sequence[OpenState]:
        return ()

    def tell(self, states: Sequence[OpenState], over: Collection[str]) -> None:
        """There is nobody to be told."""
