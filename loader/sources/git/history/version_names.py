"""The commit that a caller means by a version's name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from threading import Lock

from core.errors import VersionAmbiguous, VersionNotFound
from core.release import Version
from loader.sources.git.history.history import History
from loader.sources.git.history.reachability import Reachability
from loader.sources.git.history.version_numbers import Numbers, number_commits


class VersionNames:
    """Finds commits by name. The numbers of a model's commits are kept for the next caller.

    A lock of its own guards the numbering, so that callers wait only for one another and share the work.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._history = History()
        self._reachability = Reachability()
        self._numbers: dict[str, Numbers] = {}

    def find(self, model: str, name: str, history: History) -> tuple[Version, str]:
        """The version called `name` (`vN`, or 7 or more characters of a commit), and the commit to read it at.

        Raises VersionNotFound or VersionAmbiguous.
        """
        if _NUMBER.fullmatch(name):
            at, numbers = self._numbered(model, int(name[1:]), history)
        elif _PREFIX.fullmatch(name):
            at = _hashed(name, history)
            numbers = self.numbers(model, history)
        else:
            raise VersionNotFound(
                f"{name[:50]!r} is not a valid version: it takes vN, at least 7 digits of a commit, or run-KEY"
            )
        newest = numbers.newest[at]
        if newest < 0:
            raise VersionNotFound(f"commit {name} is from before {model}'s first version")
        return Version(numbers.at[at], history.commits.id(newest)), history.commits.id(at)

    def _numbered(self, model: str, number: int, history: History) -> tuple[int, Numbers]:
        highest = history.version(model).number
        if number > highest:
            raise VersionNotFound(f"{model} has no version v{number}; its newest is v{highest}")
        numbers = self.numbers(model, history)
        found = numbers.giving(number, history)
        if not found:  # a merge counts what both of its sides do
            raise VersionNotFound(
                f"{model} has no version v{number}, though it has later ones; its newest is v{highest}"
            )
        return _only(f"v{number} of {model}", found, history), numbers

    def numbers(self, model: str, history: History) -> Numbers:
        """Of all commits."""
        with self._lock:
            self._turn_to(history)
            if model not in self._numbers:
                if len(self._numbers) >= _MODELS_KEPT:
                    del self._numbers[next(iter(self._numbers))]
                self._numbers[model] = number_commits(model, history, self._reachability)
            return self._numbers[model]

    def _turn_to(self, history: History) -> None:
        if history is self._history:
            return
        if not history.commits.ids.startswith(self._history.commits.ids):
            self._reachability = Reachability()
        self._numbers.clear()
        self._history = history
        self._reachability.grow(len(history.commits), history.commits.parents_of)


_NUMBER = re.compile(r"v[1-9][0-9]{0,8}")
_PREFIX = re.compile(r"[0-9a-f]{7,64}")
_MODELS_KEPT = 8
_SHOWN = 10


def _hashed(prefix: str, history: History) -> int:
    found = history.commits.find(prefix)
    if not found:
        raise VersionNotFound(f"no commit reachable from the followed branch begins with {prefix}")
    return _only(prefix, found, history)


def _only(what: str, found: Sequence[int], history: History) -> int:
    if len(found) == 1:
        return found[0]
    commits = tuple(history.commits.id(at) for at in sorted(found, key=history.commits.age))
    more = f" or {len(commits) - _SHOWN} more" if len(commits) > _SHOWN else ""
    raise VersionAmbiguous(
        f"{what} names {len(commits)} commits; ask for one of {', '.join(commits[:_SHOWN])}{more}",
        commits[:_MOST_NAMED],
    )


_MOST_NAMED = 1000
