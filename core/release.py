"""Models, releases and versions as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import ReleaseFailed
from core.manifest import Manifest


@dataclass(frozen=True)
class Release:
    """One immutable state of a model: the same id is the same content, always."""

    model: str
    id: str
    """Hexadecimal; a hash of all that the release is made of."""
    manifest: Manifest = field(compare=False)
    folders: Mapping[str, str] = field(compare=False)
    """Each folder that belongs to it (the model's own, and those it uses) and the id of its content."""
    default_requirements: str | None = field(default=None, compare=False)
    """Id of the repository's own requirements.txt, where that one applies."""


@dataclass(frozen=True)
class Version:
    """What a release is called, and the commit that gave it that name."""

    number: int
    commit: str

    @property
    def label(self) -> str:
        return f"v{self.number}"


@dataclass(frozen=True)
class Wanted:
    """A model as the source wants it: a release to serve, or the reason why there is none."""

    model: str
    version: Version
    release: Release | None
    failure: ReleaseFailed | None = None
    """Set when `release` is None: the folder can't be served as it is."""


@dataclass(frozen=True)
class Desired:
    """Everything that the source wants served at one moment."""

    head: str
    """The commit it was read from; in local mode a hash of everything."""
    models: Mapping[str, Wanted]
    left_out: Mapping[str, str]
    """Folders that look like models and are not served, with the reason."""
    left_behind: str = ""
    """The head before, where this one does not descend from it: history was rewritten."""
