"""Versions as a source tells of them, those of long ago too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from core.errors import PawlError
from core.release import Candidate, Version


class CursorUnknown(PawlError):
    """No list of versions was ever continued with such a cursor."""


def cursor_of(version: Version) -> str:
    """What to ask with for the versions before that one."""
    return f"{version.number}-{version.commit}"


def read_cursor(cursor: str) -> tuple[int, str]:
    """The number and the commit. Raises CursorUnknown."""
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise CursorUnknown(f"{cursor[:100]!r} is not what `next` was in the answer before")
    return int(found[1]), found[2]


_CURSOR = re.compile(r"([1-9][0-9]{0,8})-((?:local-)?[0-9a-f]{7,64})")


@dataclass(frozen=True)
class PastVersion:
    """A version, and what its commit says."""

    candidate: Candidate
    author: str = ""
    message: str = ""
    at: datetime | None = None
    """When it was committed; None where the source doesn't know."""
    size_bytes: int | None = None
    """Of the files of its revision; None where nobody counted them, since they are too many or gone."""


@dataclass(frozen=True)
class Page:
    """A part of a model's versions, the newest first, one for each revision: by the newest that it goes by."""

    versions: tuple[PastVersion, ...] = ()
    next: str | None = None
    """What to ask for the rest with."""


@dataclass(frozen=True)
class Patch:
    """How two versions differ, as git writes it."""

    text: str
    is_cut: bool = False
    """Whether there is more of it than is told."""
