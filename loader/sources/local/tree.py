"""Folders on this machine as they stand: what is in them, and whether somebody is still writing to it."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.errors import ReleaseFailed, failure_of_ours
from loader.files.model_folders import printable
from loader.files.tree import Bounds
from loader.sources.local.plain_files import is_open_for_writing
from loader.sources.local.walk import Seen, Walk

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scan:
    """What is in a file or folder; equal to a later scan only if nobody touched anything."""

    seen: tuple[Seen, ...] = ()
    through: frozenset[str] = frozenset()
    """What links in it led through that is not part of a model, by its name."""
    problem: str = ""
    """Why it can't be part of a release."""
    is_moving: bool = False
    """Whether it changed under the eyes."""

    @property
    def is_recent(self) -> bool:
        """Whether something changed lately, by the clock of the file system in the future, or nobody can tell when."""
        oldest = time.time_ns() - _RECENT_NS
        return self.is_moving or bool(self.problem) or any(one.changed_ns > oldest for one in self.seen)


def scan(root: Path, name: str, bounds: Bounds) -> Scan:
    """What is in the file or folder `name` under `root`, but for what editors and Python leave behind."""
    walk = Walk(root, name, bounds)
    seen: tuple[Seen, ...] = ()
    problem, is_moving = "", False
    try:
        seen = walk.files()
    except FileNotFoundError:
        is_moving = True
    except OSError as error:
        problem = f"{printable(os.fspath(error.filename or root / name))} can't be read: {error.strerror}"
    except ReleaseFailed as failure:
        problem = str(failure)
    except Exception as error:
        log.exception("%s: a failure of Pawl's own while looking at it", name)
        problem = str(failure_of_ours(error))
    return Scan(seen, frozenset(walk.through), problem, is_moving)


def is_being_written(root: Path, seen: Iterable[Seen]) -> bool:
    """Whether some process has one of the files open for writing, as far as this system can tell."""
    return any(not one.is_link and is_open_for_writing(root / one.real) for one in seen)


_RECENT_NS = 2_000_000_000
