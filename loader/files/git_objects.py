"""What git stores, as values: trees' entries and commits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

FOLDER, LINK, SUBMODULE = "40000", "120000", "160000"
EXECUTABLE = "100755"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a tree."""

    mode: str
    """As git writes it, without leading zeros."""
    id: str
    name: bytes

    @property
    def is_file(self) -> bool:
        return self.mode.startswith("100")


@dataclass(frozen=True, slots=True)
class Commit:
    id: str
    date: int
    """Seconds since 1970, by the committer's clock."""
    parents: tuple[str, ...]


class Objects(Protocol):
    """Reads what a repository holds. Raises MirrorDamaged for what should be there and is not, or is something else."""

    def tree(self, id: str) -> tuple[Entry, ...]: ...

    def size(self, id: str) -> int:
        """Bytes of a blob."""
        ...

    def blob(self, id: str) -> bytes: ...

    def copy(self, id: str, to: BinaryIO) -> None:
        """Write a blob to `to`, never holding it whole."""
        ...


class MirrorDamaged(Exception):
    """The mirror lacks an object that it should hold, or holds it broken; fetching it anew mends that."""


def parse_tree(content: bytes) -> Iterator[Entry]:
    """The entries of a tree object. Raises ValueError for what is none."""
    at = 0
    while at < len(content):
        space = content.index(b" ", at)
        end = content.index(b"\0", space)
        id = content[end + 1 : end + 21]
        if len(id) != 20:
            raise ValueError("a tree is cut off")
        yield Entry(content[at:space].decode("ascii").lstrip("0"), id.hex(), content[space + 1 : end])
        at = end + 21
