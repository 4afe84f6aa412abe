"""What people wish of runs, and who does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from core.manifest.train import Values
from trainer.catalogue.views import RunView


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a person asks of a run of their own."""

    params: Values | None = None
    """In place of the folder's of those names."""
    commit: str | None = None
    """None: the head."""
    reason: str = ""


Doing = Callable[[str, str], AbstractAsyncContextManager[None]]
"""What surrounds what is done to the run of a model, once it is known that it can be."""


class Control(Protocol):
    """What decides on runs; for the loop's own thread. What changes something raises StoreUnavailable.

    `by`: who asks, and why.
    """

    def open(self) -> Sequence[RunView]:
        """The runs that are not over, as far as anybody here knows without asking the store."""
        ...

    async def start(self, model: str, asked: Asked, by: str, doing: Doing) -> tuple[str, bool]:
        """The run's key, and whether it is a new one. Raises NotTrainable, VersionNotFound, VersionAmbiguous, and what
        `doing` does, within which a new one is begun."""
        ...

    async def cancel(self, run: RunView, by: str) -> None: ...

    async def retry(self, run: RunView, by: str) -> None: ...

    async def accept(self, run: RunView, by: str) -> None: ...
