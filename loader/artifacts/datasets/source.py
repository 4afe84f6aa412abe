"""Where a dataset comes from: the seam between its kinds of addresses and the cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.errors import DatasetUnavailable, Heals
from core.redaction import redact, secrets_in, without_login


@dataclass(frozen=True)
class DatasetState:
    """What tells one content of an address from another."""

    version: str
    """Empty where nothing but the content tells."""
    size: int | None
    """Bytes; None where nobody says."""


@dataclass(frozen=True)
class Fetched:
    state: DatasetState
    name: str
    """Of the only file; empty for a folder of them."""


Room = Callable[[int], None]
"""Asked before so many bytes, in all, are written. Raises DatasetUnavailable where there is no room for them."""


CHANGED = "changed while it was read; let whatever writes it come to an end, then retry the run"
LOOK_S = 60.0
"""In which a source must say what state it is in."""


class DatasetSource(Protocol):
    """Both raise DatasetUnavailable."""

    def state(self) -> DatasetState: ...

    def download(self, into: Path, room: Room) -> Fetched:
        """Write what is there into the empty folder `into`, and tell the state of what was written."""
        ...


class DatasetFailure:
    """Makes the errors of one address, with nothing secret in them."""

    def __init__(self, address: str) -> None:
        self.shown = without_login(address)
        self._secrets = secrets_in(address)

    def never(self, what: str) -> DatasetUnavailable:
        """No other try helps."""
        return self._error(what, Heals.NEVER)

    def for_now(self, what: str) -> DatasetUnavailable:
        """Another try may help."""
        return self._error(what, Heals.WITH_MACHINE)

    def _error(self, what: str, heals: Heals) -> DatasetUnavailable:
        text = redact(f"{self.shown} {what}", self._secrets)
        return DatasetUnavailable(" ".join(text.split())[:1000], heals=heals)
