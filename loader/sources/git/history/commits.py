"""The commits that a head reaches, each by its number: parents before children, the head last."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from loader.files.git_objects import Commit, MirrorDamaged


@dataclass(frozen=True)
class Commits:
    """Packed, since there may be a million."""

    ids: bytes = b""
    """A line for each; a line's break is its first byte."""
    dates: array[int] = field(default_factory=lambda: array("q"))
    parents: array[int] = field(default_factory=lambda: array("I"))
    """Of all commits, one after another."""
    ends: array[int] = field(default_factory=lambda: array("I"))
    """Where each commit's parents end."""
    generations: array[int] = field(default_factory=lambda: array("I"))
    """How many commits are on the longest way to one without parents."""

    def __len__(self) -> int:
        return len(self.dates)

    def id(self, at: int) -> str:
        return self.ids[at * self._width + 1 : (at + 1) * self._width].decode("ascii")

    def find(self, prefix: str) -> list[int]:
        """Those whose hash begins like that."""
        found: list[int] = []
        line = f"\n{prefix}".encode()
        place = self.ids.find(line)
        while place >= 0:
            found.append(place // self._width)
            place = self.ids.find(line, place + 1)
        return found

    def parents_of(self, at: int) -> Sequence[int]:
        return self.parents[self.ends[at - 1] if at else 0 : self.ends[at]]

    def age(self, at: int) -> tuple[int, int, str]:
        """Orders commits so that a descendant comes after, and all replicas agree on the rest."""
        return self.generations[at], self.dates[at], self.id(at)

    def reached(self, tips: Iterable[int]) -> bytearray:
        """For each commit 1 where it is one of the tips, or reached by one."""
        reached = bytearray(len(self))
        for at in tips:
            reached[at] = 1
        for at in range(len(self) - 1, -1, -1):
            if reached[at]:
                for parent in self.parents_of(at):
                    reached[parent] = 1
        return reached

    def all(self) -> Iterable[Commit]:
        for at in range(len(self)):
            yield Commit(self.id(at), self.dates[at], tuple(map(self.id, self.parents_of(at))))

    @property
    def _width(self) -> int:
        return len(self.ids) // len(self.dates) if self.dates else 1


class MoreCommits:
    """Commits under way to be more than before."""

    def __init__(self, before: Commits) -> None:
        self._before = before
        self._ids = bytearray(before.ids)
        self._dates = before.dates[:]
        self._parents = before.parents[:]
        self._ends = before.ends[:]
        self._generations = before.generations[:]
        self._added: dict[str, int] = {}

    def add(self, commit: Commit) -> int:
        """The number that it gets. Raises MirrorDamaged when a parent is not there."""
        at = len(self._dates)
        parents = [self._find(parent) for parent in commit.parents]
        self._added[commit.id] = at
        self._ids += f"\n{commit.id}".encode()
        self._dates.append(commit.date)
        self._parents.extend(parents)
        self._ends.append(len(self._parents))
        self._generations.append(1 + max((self._generations[parent] for parent in parents), default=0))
        return at

    def end(self) -> Commits:
        return Commits(bytes(self._ids), self._dates, self._parents, self._ends, self._generations)

    def _find(self, commit: str) -> int:
        if commit not in self._added:
            found = self._before.find(commit)
            if not found:
                raise MirrorDamaged(f"commit {commit} is not there")
            self._added[commit] = found[0]
        return self._added[commit]
