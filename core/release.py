"""Models, revisions, releases and versions as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from hashlib import sha256
from typing import NamedTuple

from core.errors import ReleaseFailed
from core.manifest.manifest import Manifest


@dataclass(frozen=True)
class Revision:
    """What a source says of a model at one commit: the same id is the same content, always."""

    model: str
    id: str
    """Hexadecimal; a hash of all that the revision is made of."""
    manifest: Manifest = field(compare=False)
    folders: Mapping[str, str] = field(compare=False)
    """Each folder that belongs to it (the model's own, and those it uses) and the id of its content."""
    default_requirements: str | None = field(default=None, compare=False)
    """Id of the repository's own requirements.txt, where that one applies."""
    code_key: str | None = field(default=None, compare=False)
    """A hash of all that shapes what a run leaves; None: the model doesn't train."""


@dataclass(frozen=True)
class Artifact:
    """What a run left."""

    id: str
    """A hash of its files."""
    run: str = field(compare=False)
    """The run's key. Two runs may leave the same files."""


@dataclass(frozen=True)
class Release:
    """What can be served: a revision and, for a model that trains, an artifact. The same id is the same content."""

    revision: Revision
    artifact: Artifact | None = None

    @property
    def id(self) -> str:
        """Hexadecimal; the revision's, or a hash of both."""
        if self.artifact is None:
            return self.revision.id
        return sha256(f"{self.revision.id}\0{self.artifact.id}".encode()).hexdigest()[:20]

    @property
    def model(self) -> str:
        return self.revision.model

    @property
    def manifest(self) -> Manifest:
        return self.revision.manifest

    @property
    def run(self) -> str | None:
        """Key of the run that left its artifact."""
        return None if self.artifact is None else self.artifact.run


@dataclass(frozen=True)
class Version:
    """What a revision is called, and the commit that gave it that name."""

    number: int
    commit: str

    @property
    def label(self) -> str:
        return f"v{self.number}"


class Served(NamedTuple):
    """A release, and the version that it goes by."""

    release: Release
    version: Version


@dataclass(frozen=True)
class Candidate:
    """A model at one commit: its revision, or the reason why there is none."""

    model: str
    version: Version
    revision: Revision | None
    failure: ReleaseFailed | None = None
    """Set when `revision` is None: the folder can't be served as it is."""


@dataclass(frozen=True)
class Snapshot:
    """Everything that the source holds at one moment."""

    head: str
    """The commit it was read from; in local mode a hash of everything."""
    models: Mapping[str, Candidate]
    left_out: Mapping[str, str]
    """Folders that look like models and are not served, with the reason."""
    left_behind: str = ""
    """The head before, where this one does not descend from it: history was rewritten."""


class Choice(Enum):
    """Why a model's release is what is wanted of it."""

    HEAD = auto()
    """It is the followed head's."""
    PINNED = auto()
    """An operator chose it."""
    REJECTED = auto()
    """The head's was turned down."""
    UNTRAINED = auto()
    """The head's has no artifact yet."""


@dataclass(frozen=True)
class Wanted:
    """A model as it is to be: a release to serve, or the reason why there is none."""

    model: str
    version: Version
    release: Release | None
    failure: ReleaseFailed | None = None
    """Set when `release` is None and the folder can't be served as it is."""
    choice: Choice = Choice.HEAD
    head: Version | None = None
    """What the followed head's goes by, where that isn't what is wanted."""
    run: str | None = None
    """State of the run that the head's artifact is waited from, as far as that is known."""

    @property
    def withheld(self) -> str | None:
        """Why there is nothing to serve although nothing failed; None where that isn't so."""
        if self.release is not None or self.failure is not None:
            return None
        if self.choice is Choice.UNTRAINED:
            return f"it has never been trained; its run is {self.run or 'about to be queued'}"
        return "its release was rejected, and none before it was live"
