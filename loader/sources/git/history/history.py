"""What version numbers are counted from.

A model's number at a commit is what `git rev-list --full-history --count COMMIT -- PATHS` says, where PATHS are the
model's folder, each that its model.yaml has named in `uses` in any commit up to there, and, if its folder was without
requirements of its own in one of them, those of the repository: were only those counted that apply today, the number
would slip back when one no longer does.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from core.errors import VersionNotFound
from core.release import Version
from loader.sources.git.history.changes import Change
from loader.sources.git.history.commits import Commits, MoreCommits

Also = Mapping[str, Sequence[int]]
"""Names that count for a model besides its own, and the commits that say so."""


@dataclass(frozen=True)
class Touches:
    """The commits that touch one entry of the folder that holds the models."""

    at: array[int]
    """Ascending."""
    newest: int

    @cached_property
    def all(self) -> frozenset[int]:
        return frozenset(self.at)


@dataclass(frozen=True)
class History:
    """The commits that the followed head reaches, and what they touch. Never changed, but grown to another."""

    commits: Commits = field(default_factory=Commits)
    touching: Mapping[str, Touches] = field(default_factory=dict)
    also: Mapping[str, Also] = field(default_factory=dict)

    @property
    def head(self) -> str | None:
        return self.commits.id(len(self.commits) - 1) if len(self.commits) else None

    def touching_of(self, name: str) -> Sequence[int]:
        return self.touching[name].at if name in self.touching else ()

    def names(self, model: str) -> tuple[str, ...]:
        """What counts for the model at the head, itself first."""
        return (model, *sorted(self.also.get(model, {}).keys() - {model}))

    def version(self, model: str) -> Version:
        """The model's version at the head. Raises VersionNotFound when no commit ever held it."""
        touches = [self.touching[name] for name in self.names(model) if name in self.touching]
        if not touches:
            raise VersionNotFound(f"no commit holds {model}")
        most = max(touches, key=lambda found: len(found.at))
        others = set[int]().union(*(found.at for found in touches if found is not most)) - most.all
        newest = max((found.newest for found in touches), key=self.commits.age)
        return Version(len(most.at) + len(others), self.commits.id(newest))

    def grown(self, changes: Iterable[Change]) -> History:
        """With more commits, parents before children; the last one is the new head."""
        growth = _Growth(self)
        for change in changes:
            growth.add(change)
        return growth.end()

    def only(self, stays: Sequence[int]) -> History:
        """What is left when the commits go that are 0 in `stays`; none may stay without its parents."""
        if all(stays):
            return self
        places = _places(stays)
        commits = MoreCommits(Commits())
        for at, commit in enumerate(self.commits.all()):
            if stays[at]:
                commits.add(commit)
        rest = commits.end()
        touching = {name: _left(touches.at, places) for name, touches in self.touching.items()}
        also = {
            model: {name: left for name, said in names.items() if (left := _left(said, places))}
            for model, names in self.also.items()
        }
        return History(
            rest,
            {name: Touches(at, max(at, key=rest.age)) for name, at in touching.items() if at},
            {model: names for model, names in also.items() if names},
        )


class _Growth:
    def __init__(self, history: History) -> None:
        self._history = history
        self._commits = MoreCommits(history.commits)
        self._touching: dict[str, array[int]] = {}
        self._also = {model: {name: list(at) for name, at in names.items()} for model, names in history.also.items()}

    def add(self, change: Change) -> None:
        at = self._commits.add(change.commit)
        for name in change.touched:
            self._touching.setdefault(name, array("I")).append(at)
        for model, names in change.also.items():
            for name in names:
                self._also.setdefault(model, {}).setdefault(name, []).append(at)

    def end(self) -> History:
        commits = self._commits.end()
        touching = dict(self._history.touching)
        for name, more in self._touching.items():
            known = touching.get(name, _NEVER)
            newest = max((*more, *([known.newest] if known.at else ())), key=commits.age)
            touching[name] = Touches(known.at + more, newest)
        return History(commits, touching, self._also)


_NEVER = Touches(array("I"), -1)


def _places(stays: Sequence[int]) -> list[int]:
    """For each commit the number that it gets; -1 for those that go."""
    places: list[int] = []
    count = 0
    for one in stays:
        places.append(count if one else -1)
        count += 1 if one else 0
    return places


def _left(at: Sequence[int], places: Sequence[int]) -> array[int]:
    return array("I", (places[one] for one in at if places[one] >= 0))
