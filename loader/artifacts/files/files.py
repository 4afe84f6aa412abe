"""Files in a store by name, with "/" between folders: the seam between what is kept and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from loader.artifacts.manifest import Entry

MOST_READ = 64_000_000
"""Bytes of a file that is read whole: manifests, results, logs."""


@dataclass(frozen=True)
class Stored:
    """A file, or an artifact, in a store."""

    name: str
    size: int
    """Bytes."""
    changed: float
    """Seconds since 1970, by the store's clock."""


@dataclass(frozen=True)
class Tree:
    """A folder to be stored so that all of it is there once `last` is, and before that none."""

    source: Path
    at: str
    """Its name in the store."""
    files: Sequence[Entry]
    """From `source`; each goes under `files/`."""
    last: tuple[str, bytes]
    """A file's name and content."""

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


class Files(Protocol):
    """All raise StoreUnavailable when the store does not do it, and FileNotFoundError for a name that isn't there."""

    def read(self, name: str) -> bytes: ...

    def read_each(self, names: Sequence[str]) -> list[bytes | None]:
        """Of several, in one call: None for what isn't there."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Whoever reads gets what was there before, or all of this."""
        ...

    def create(self, name: str, content: bytes) -> bool:
        """False, and nothing is written, where the name is there already."""
        ...

    def put(self, tree: Tree) -> None:
        """Raises ArtifactRefused for a file that is no longer what its entry says."""
        ...

    def touch(self, name: str) -> None:
        """Make the file's `changed` the present."""
        ...

    def get(self, file: Stored, into: Path) -> None:
        """Write the file's content to the new file `into`."""
        ...

    def local(self, name: str) -> Path | None:
        """Where the file is on this machine; None in a store elsewhere."""
        ...

    def files(self, under: str) -> list[Stored]:
        """All files in the folder `under` and its folders, by names from there; none where there is no such folder."""
        ...

    def folders(self, under: str) -> list[str]: ...

    def find(self, names: Sequence[str]) -> list[Stored]:
        """Those of the files that are there."""
        ...

    def remove(self, at: str, first: str) -> None:
        """Remove a folder as `put` stored it, beginning with what it stored last."""
        ...

    def tidy(self) -> None:
        """Remove what uploads left that will never be finished."""
        ...


def read_each(read: Callable[[str], bytes], names: Sequence[str]) -> list[bytes | None]:
    """One after the other."""
    found: list[bytes | None] = []
    for name in names:
        try:
            found.append(read(name))
        except FileNotFoundError:
            found.append(None)
    return found
