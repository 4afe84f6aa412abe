"""A change of one model's folder that somebody hands in: it is looked at as any revision first, and then made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.errors import PawlError, SourceError
from core.release import Candidate, Revision


class HeadMoved(PawlError):
    """What is followed has changed since the change was made ready; nothing was changed."""


class NotWritable(PawlError):
    """What is followed takes no change from here; nothing was changed."""


@dataclass(frozen=True)
class Change:
    """What the folder of a model is to hold."""

    model: str
    files: Path | None
    """A folder of plain files and folders; None: the model's folder is to go."""
    author: str
    message: str
    head: str = ""
    """The head that its author saw; empty: whichever there is."""
    keeps_others: bool = False
    """Whether files of the folder that are not among `files` stay."""


@dataclass(frozen=True)
class ManifestText:
    """A model's `model.yaml` as it is written."""

    text: bytes
    """Empty: it has none."""
    head: str
    """The head that it was read at; empty where there is none."""


def too_long_to_edit(model: str, most: int) -> SourceError:
    """A part of it would be all that is left once it was edited."""
    return SourceError(
        f"{model}/model.yaml has more than {most:,} bytes, too many to be edited here; edit the file itself"
    )


class Proposal(Protocol):
    """A change that is ready. Its methods block; whoever has it closes it."""

    @property
    def candidate(self) -> Candidate | None:
        """The model as it will be; None: there will be none."""
        ...

    @property
    def is_change(self) -> bool:
        """Whether what is followed holds anything else yet."""
        ...

    def check_out(self, revision: Revision, into: Path) -> None:
        """Write the revision's files into the empty folder `into`. Raises ReleaseFailed."""
        ...

    def make(self) -> str:
        """Change what is followed; the commit. Raises HeadMoved, NotWritable, SourceError."""
        ...

    def close(self) -> None:
        """Forget it, unless it was made."""
        ...
