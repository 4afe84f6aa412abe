"""Which commits reach which: counted once for each commit, however often it is asked."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Sequence


class Lineage:
    """For each commit the line that it continues, and what it reaches beside that.

    A commit continues the line of the parent that reaches most, and adds itself and whatever else its other parents
    reach. So what a commit reaches is the sum over its line, and what a merge adds is the smaller side of it. Commits
    are numbers; parents are smaller than their children.
    """

    def __init__(self) -> None:
        self.line = array("i")
        """For each commit the parent whose line it continues; -1 where there is none."""
        self.added: dict[int, tuple[int, ...]] = {}
        """For each merge what it reaches besides itself and its line, if anything."""
        self._parents_of: Callable[[int], Sequence[int]] = lambda at: ()
        self._reached = array("I")
        """How many commits each reaches, itself too."""
        self._mergers: defaultdict[int, list[int]] = defaultdict(list)
        """For each commit the merges that added it to a line."""
        self._depth = array("I")
        self._jump = array("I")
        """For each commit one further down its line, such that any is found in few steps.

        After Myers, An applicative random-access stack, Information Processing Letters 17 (1983).
        """

    def __len__(self) -> int:
        return len(self.line)

    def grow(self, length: int, parents_of: Callable[[int], Sequence[int]]) -> None:
        """Add commits until there are so many; of those that are here the parents stay what they were."""
        self._parents_of = parents_of
        for at in range(len(self.line), length):
            self._append(at, parents_of(at))

    def reaches(self, at: int, other: int) -> bool:
        """Whether `other` is `at` or one of those that came before it."""
        if other > at:
            return False
        return self._is_on_line(other, at) or any(self._is_on_line(one, at) for one in self._mergers.get(other, ()))

    def _append(self, at: int, parents: Sequence[int]) -> None:
        line = max(parents, key=self._reached.__getitem__, default=-1)
        added = self._beside(line, parents) if len(parents) > 1 else ()
        if added:
            self.added[at] = added
            for other in added:
                self._mergers[other].append(at)
        self.line.append(line)
        if line < 0:
            self._reached.append(1)
            self._depth.append(0)
            self._jump.append(at)
        else:
            self._reached.append(self._reached[line] + len(added) + 1)
            self._depth.append(self._depth[line] + 1)
            self._jump.append(self._jump_from(line))

    def _beside(self, line: int, parents: Sequence[int]) -> tuple[int, ...]:
        """What the parents reach that the one on whose line we are doesn't."""
        found: set[int] = set()
        waiting = [parent for parent in parents if parent != line]
        while waiting:
            at = waiting.pop()
            if at not in found and not self.reaches(line, at):
                found.add(at)
                waiting.extend(self._parents_of(at))
        return tuple(found)

    def _jump_from(self, line: int) -> int:
        jump = self._jump[line]
        far = self._jump[jump]
        return far if self._depth[line] - self._depth[jump] == self._depth[jump] - self._depth[far] else line

    def _is_on_line(self, other: int, at: int) -> bool:
        depth = self._depth[other]
        while self._depth[at] > depth:
            jump = self._jump[at]
            at = jump if self._depth[jump] >= depth else self.line[at]
        return at == other
