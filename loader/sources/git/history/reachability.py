"""Which commits reach which: computed once for each commit, however often it is asked."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Sequence


class Reachability:
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
        self._reached = array("I")
        """How many commits each reaches, itself too."""
        self._mergers: defaultdict[int, list[int]] = defaultdict(list)
        """For each commit the merges that added it to a line."""
        self._depth = array("I")
        self._jump = array("I")
        """For each commit one further down its line, such that any is found in few steps.

        After Myers, An applicative random-access stack, Information Processing Letters 17 (1983).
        """

    def grow(self, length: int, parents_of: Callable[[int], Sequence[int]]) -> None:
        """Add commits until there are so many; of those that are here the parents stay what they were."""
        for at in range(len(self.line), length):
            parents = parents_of(at)
            if len(parents) == 1:
                self._put(parents[0], 0)
            elif parents:
                line = max(parents, key=self._reached.__getitem__)
                self._put(line, self._add_beside(at, line, parents))
            else:
                self._begin(at)

    def reaches(self, at: int, other: int, since: int = -1) -> bool:
        """Whether `other` is `at` or came before it; `since`: one on the line of `at` by which it had not come yet."""
        if since < other <= at and self._is_on_line(other, at):
            return True
        for merge in reversed(self._mergers.get(other, ())):
            if merge <= since:
                break
            if merge <= at and self._is_on_line(merge, at):
                return True
        return False

    def _begin(self, at: int) -> None:
        self.line.append(-1)
        self._reached.append(1)
        self._depth.append(0)
        self._jump.append(at)

    def _put(self, line: int, added: int) -> None:
        near = self._jump[line]
        far = self._jump[near]
        depth = self._depth[line]
        is_even = depth - self._depth[near] == self._depth[near] - self._depth[far]
        self.line.append(line)
        self._reached.append(self._reached[line] + added + 1)
        self._depth.append(depth + 1)
        self._jump.append(far if is_even else line)

    def _add_beside(self, at: int, line: int, parents: Sequence[int]) -> int:
        """Note what the merge `at` adds to the line; returns how many they are."""
        added = self._beside(line, parents)
        if added:
            self.added[at] = added
            for other in added:
                self._mergers[other].append(at)
        return len(added)

    def _beside(self, line: int, parents: Sequence[int]) -> tuple[int, ...]:
        """What the parents reach that the one on whose line we are doesn't."""
        found: set[int] = set()
        for parent in parents:
            end = self._meeting(parent, line)
            since = end if end >= 0 and self._is_on_line(end, line) else -1
            at = parent
            while at != end:
                found.add(at)
                found.update(other for other in self.added.get(at, ()) if not self.reaches(line, other, since))
                at = self.line[at]
        return tuple(found)

    def _meeting(self, at: int, line: int) -> int:
        """The first down the line of `at` that `line` reaches; it reaches all that follow. -1 where there is none."""
        while at >= 0 and not self.reaches(line, at):
            jump = self._jump[at]
            at = jump if jump != at and not self.reaches(line, jump) else self.line[at]
        return at

    def _is_on_line(self, other: int, at: int) -> bool:
        depth = self._depth[other]
        while self._depth[at] > depth:
            jump = self._jump[at]
            at = jump if self._depth[jump] >= depth else self.line[at]
        return at == other
