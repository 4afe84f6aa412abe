"""Which artifacts each installation needs, of those that share a store: none removes what another serves."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable, Set
from contextlib import suppress
from pathlib import Path

import msgspec

from core.errors import StoreUnavailable
from loader.artifacts.files.files import Files

log = logging.getLogger("pawl")

TOLD_AGAIN_S = 86_400.0
"""So that the others know that this installation is still there."""
FORGOTTEN_S = 30 * 86_400.0
"""An installation that has not been heard of for so long needs nothing more."""


class _Needed(msgspec.Struct, frozen=True):
    artifacts: tuple[str, ...]


class Uses:
    """`in-use/<installation>/needed.json` in the store. Both methods block, and raise StoreUnavailable."""

    def __init__(self, files: Files, installation: str, now: Callable[[], float] = time.time) -> None:
        """`installation`: what no other installation is called."""
        self._files = files
        self._installation = installation
        self._now = now
        self._told: tuple[Set[str], float] = (frozenset(), 0.0)

    def tell(self, ids: Set[str]) -> None:
        """What this installation needs now. Writes where that is another than before, and else once a day."""
        told, at = self._told
        now = self._now()
        if ids != told or now > at + TOLD_AGAIN_S:
            self._files.write(f"{_ROOT}/{self._installation}/{_NAME}", msgspec.json.encode(_Needed(tuple(sorted(ids)))))
            self._told = (frozenset(ids), now)

    def of_others(self) -> frozenset[str]:
        """What other installations need. One that was not heard of for a month is forgotten."""
        needed: set[str] = set()
        names = [name for name in self._files.folders(_ROOT) if _HOLDER.match(name) and name != self._installation]
        for name in names:
            needed |= self._needed_by(name)
        return frozenset(needed)

    def _needed_by(self, installation: str) -> frozenset[str]:
        at = f"{_ROOT}/{installation}"
        found = self._files.find([f"{at}/{_NAME}"])
        if found and found[0].changed < self._now() - FORGOTTEN_S:
            with suppress(FileNotFoundError):
                self._files.remove(at, _NAME)
            return frozenset()
        try:
            return frozenset(msgspec.json.decode(self._files.read(f"{at}/{_NAME}"), type=_Needed).artifacts)
        except FileNotFoundError:
            return frozenset()
        except msgspec.DecodeError as error:
            raise StoreUnavailable(
                f"{at}/{_NAME} can't be read, so nobody knows which artifacts that installation needs: {error}; "
                "remove the file if the installation is no more"
            ) from error


def installation_in(data: Path) -> str:
    """The name that goes with a DATA_DIR, made once; where the disk is full, it holds until the next start."""
    path = data / "installation"
    with suppress(OSError, UnicodeDecodeError):
        if _HOLDER.match(name := path.read_text().strip()):
            return name
    name = uuid.uuid4().hex
    aside = data / ".installation.tmp"
    with suppress(OSError):
        aside.write_text(f"{name}\n")
        aside.replace(path)
    return name


_ROOT = "in-use"
_NAME = "needed.json"
_HOLDER = re.compile(r"[0-9a-f]{32}\Z")
