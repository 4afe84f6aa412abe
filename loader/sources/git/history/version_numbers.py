"""A model's version number at every commit."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loader.sources.git.history.history import Also, History
from loader.sources.git.history.reachability import Reachability


@dataclass(frozen=True)
class Numbers:
    """By commit, as the history has them in order."""

    at: array[int]
    """The model's number there."""
    newest: array[int]
    """The newest commit that is counted; -1 where none is."""

    def giving(self, number: int, history: History) -> list[int]:
        """The commits at which that number is reached."""
        return [
            at
            for at in self._having(number)
            if all(self.at[parent] < number for parent in history.commits.parents_of(at))
        ]

    def _having(self, number: int) -> Iterator[int]:
        at = -1
        while True:
            try:
                at = self.at.index(number, at + 1)
            except ValueError:
                return
            yield at


def number_commits(model: str, history: History, reachability: Reachability) -> Numbers:
    """What git counts from each commit, in one pass: a commit counts what its line does, and what it adds to that.

    Which names count may grow along the way. Then what touched only the new ones is counted from there on.
    """
    counting = _Counting(model, history, reachability)
    for at in range(len(history.commits)):
        counting.add(at)
    return Numbers(counting.numbers, counting.newest)


class _Counting:
    def __init__(self, model: str, history: History, reachability: Reachability) -> None:
        self.numbers = array("I")
        self.newest = array("i")
        self._history = history
        self._reaches = reachability.reaches
        self._line = reachability.line
        self._added = reachability.added
        self._names = history.names(model)
        self._hits = _hits(self._names, history)
        self._starts = _starts(self._names, history.also.get(model, {}))
        self._counted: list[int] = []
        """For each commit the names that count there, as bits; the model's own is the first."""

    def add(self, at: int) -> None:
        line = self._line[at]
        if line < 0:
            self._put(at, self._starts.get(at, 1), 0, -1)
        elif at in self._added or at in self._starts:
            self._put_merged(at, line)
        else:
            self._put(at, self._counted[line], self.numbers[line], self.newest[line])

    def _put(self, at: int, counted: int, number: int, newest: int) -> None:
        is_counted = self._hits[at] & counted != 0
        self._counted.append(counted)
        self.numbers.append(number + is_counted)
        self.newest.append(at if is_counted else newest)

    def _put_merged(self, at: int, line: int) -> None:
        counted = self._starts.get(at, 1)
        for parent in self._history.commits.parents_of(at):
            counted |= self._counted[parent]
        more = [other for other in self._added.get(at, ()) if self._hits[other] & counted]
        more += self._newly_counted(counted, line)
        known = [self.newest[line]] if self.newest[line] >= 0 else []
        newest = max([*known, *more], key=self._history.commits.age, default=-1)
        self._put(at, counted, self.numbers[line] + len(more), newest)

    def _newly_counted(self, counted: int, line: int) -> set[int]:
        """What the line reaches that counts only from here on."""
        before = self._counted[line]
        new = [name for bit, name in enumerate(self._names) if counted & ~before & 1 << bit]
        touching = {at for name in new for at in self._history.touching_of(name) if not self._hits[at] & before}
        return {at for at in touching if self._reaches(line, at)}


def _hits(names: Sequence[str], history: History) -> list[int]:
    """For each commit the names that it touches, as bits."""
    hits = [0] * len(history.commits)
    for bit, name in enumerate(names):
        for at in history.touching_of(name):
            hits[at] |= 1 << bit
    return hits


def _starts(names: Sequence[str], also: Also) -> dict[int, int]:
    """For each commit that says so, the names that count from there on, as bits; the model's own does everywhere."""
    starts: dict[int, int] = {}
    for bit, name in enumerate(names):
        for at in also.get(name, ()):
            starts[at] = starts.get(at, 1) | 1 << bit
    return starts
