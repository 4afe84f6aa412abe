"""Version numbers, from the history of commits.

A model's number at a commit is what `git rev-list --full-history --count COMMIT -- FOLDERS` says, where FOLDERS are the
model's own and each that its model.yaml has named in `uses` in any commit up to there: were only those counted that it
names today, the number would slip back when one is dropped. Here it is counted in memory, for all models in one pass.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

from core.errors import VersionAmbiguous, VersionNotFound
from core.release import Version
from loader.files.folders import MOST_MANIFEST_BYTES, uses_named
from loader.files.objects import FOLDER, Commit, Entry, Objects


class History:
    """The commits reachable from a head, as far as the entries of one folder of the repository go."""

    def __init__(self, folder: tuple[str, ...]) -> None:
        self._folder = folder
        self._steps: list[_Step] = []
        self._index: dict[str, int] = {}
        self._touching: defaultdict[str, set[int]] = defaultdict(set)
        self._used: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
        self._maps: dict[str | None, Mapping[str, Entry]] = {}
        self._named: dict[str, frozenset[str]] = {}
        self._passes: dict[str, _Pass] = {}

    @property
    def newest(self) -> Commit:
        return self._steps[-1].commit

    @property
    def head(self) -> str | None:
        return self.newest.id if self._steps else None

    def grow(self, commits: Iterable[Commit], objects: Objects) -> None:
        """Add commits, parents before children; the last one is the new head."""
        self._passes.clear()
        for commit in commits:
            self._add(commit, objects)

    def extends(self, commits: Iterable[Commit]) -> bool:
        """Whether the head stays reachable when `commits`, none of which it reaches, are what is new."""
        return not self._steps or any(self.head in commit.parents for commit in commits)

    def version(self, model: str) -> Version:
        """The model's version at the head. Raises VersionNotFound when no commit ever held it."""
        folders = {model} | self._used[model]
        counted: set[int] = set().union(*(self._touching[folder] for folder in folders if folder in self._touching))
        if not counted:
            raise VersionNotFound(f"no commit holds {model}")
        return Version(len(counted), self._steps[max(counted, key=self._age)].commit.id)

    def find(self, model: str, name: str) -> tuple[Version, Commit]:
        """The version called `name` (`vN`, or 7 or more characters of a commit), and the commit to read it at.

        Raises VersionNotFound or VersionAmbiguous.
        """
        if _NUMBER.fullmatch(name):
            at = self._numbered(model, int(name[1:]))
        elif _PREFIX.fullmatch(name):
            at = self._hashed(name)
        else:
            raise VersionNotFound(
                f"{name[:50]!r} is no version; a version is vN or 7 to 40 characters of a commit's hash"
            )
        number, newest = self._pass(model).versions[at]
        if newest is None:
            raise VersionNotFound(f"commit {name} is from before {model}'s first version")
        return Version(number, self._steps[newest].commit.id), self._steps[at].commit

    def _numbered(self, model: str, number: int) -> int:
        found = self._pass(model).giving.get(number, [])
        if not found:
            raise VersionNotFound(f"{model} has no version v{number}; its newest is v{self._newest_number(model)}")
        if len(found) > 1:
            raise self._ambiguous(f"v{number} of {model}", found)
        return found[0]

    def _newest_number(self, model: str) -> int:
        return max(self._pass(model).giving, default=0)

    def _hashed(self, prefix: str) -> int:
        found = [at for id, at in self._index.items() if id.startswith(prefix)]
        if not found:
            raise VersionNotFound(f"no commit reachable from the followed branch begins with {prefix}")
        if len(found) > 1:
            raise self._ambiguous(prefix, found)
        return found[0]

    def _ambiguous(self, what: str, found: list[int]) -> VersionAmbiguous:
        commits = tuple(self._steps[at].commit.id for at in found)
        return VersionAmbiguous(f"{what} names {len(commits)} commits; ask for one of {', '.join(commits)}", commits)

    def _add(self, commit: Commit, objects: Objects) -> None:
        parents = tuple(self._index[parent] for parent in commit.parents)
        tree = folder_of(commit.tree, self._folder, objects)
        touched = self._touched(tree, {self._steps[parent].tree for parent in parents}, objects)
        at = len(self._steps)
        named = self._names(touched, self._map(tree, objects), objects)
        generation = 1 + max((self._steps[parent].generation for parent in parents), default=0)
        self._steps.append(_Step(commit, tree, parents, generation, frozenset(touched), named))
        self._index[commit.id] = at
        for name in touched:
            self._touching[name].add(at)
        for model, used in named.items():
            self._used[model] |= used

    def _touched(self, tree: str | None, parents: set[str | None], objects: Objects) -> set[str]:
        """What differs from any parent: of merges too, git counts each that differs from one of its parents."""
        ours = self._map(tree, objects)
        touched: set[str] = set()
        for parent in (parents or {None}) - {tree}:
            theirs = self._map(parent, objects)
            touched |= {name for name, _ in ours.items() ^ theirs.items()}
        return touched

    def _map(self, tree: str | None, objects: Objects) -> Mapping[str, Entry]:
        if tree not in self._maps:
            if len(self._maps) > _MAPS_KEPT:
                self._maps.clear()
            self._maps[tree] = {_key(entry): entry for entry in objects.tree(tree)} if tree else {}
        return self._maps[tree]

    def _names(self, touched: set[str], entries: Mapping[str, Entry], objects: Objects) -> Mapping[str, frozenset[str]]:
        """What the manifests of the touched folders name in `uses`."""
        folders = (name for name in touched if name in entries and entries[name].mode == FOLDER)
        named = {name: self._named_in(entries[name].id, objects) for name in folders}
        return {name: used for name, used in named.items() if used}

    def _named_in(self, folder: str, objects: Objects) -> frozenset[str]:
        for entry in objects.tree(folder):
            if entry.name == b"model.yaml" and entry.is_file:
                if entry.id not in self._named:
                    self._named[entry.id] = _uses(entry.id, objects)
                return self._named[entry.id]
        return frozenset()

    def _age(self, at: int) -> tuple[int, int, str]:
        """Orders commits so that a descendant comes after, and all replicas agree on the rest."""
        step = self._steps[at]
        return step.generation, step.commit.date, step.commit.id

    def _pass(self, model: str) -> _Pass:
        if model not in self._passes:
            if len(self._passes) >= _PASSES_KEPT:
                self._passes.clear()
            self._passes[model] = self._number_all(model)
        return self._passes[model]

    def _number_all(self, model: str) -> _Pass:
        """The model's number at every commit: a commit's ancestors that touch a folder are the bits of an integer."""
        folders = {model} | self._used[model]
        relevant = sorted({at for name in folders for at in self._touching.get(name, ())}, key=self._age)
        bit = {at: 1 << position for position, at in enumerate(relevant)}
        masks = {name: reduce(or_, (bit[at] for at in self._touching.get(name, ())), 0) for name in folders}
        done = _Pass([], defaultdict(list))
        reached: list[int] = []
        used: list[frozenset[str]] = []
        for at, step in enumerate(self._steps):
            used.append(frozenset({model}).union(step.named.get(model, ()), *(used[parent] for parent in step.parents)))
            reached.append(reduce(or_, (reached[parent] for parent in step.parents), bit.get(at, 0)))
            counted = reached[at] & reduce(or_, (masks[name] for name in used[at]))
            number = counted.bit_count()
            done.versions.append((number, relevant[counted.bit_length() - 1] if counted else None))
            if number > max((done.versions[parent][0] for parent in step.parents), default=0):
                done.giving[number].append(at)
        return done


def folder_of(tree: str, folder: tuple[str, ...], objects: Objects) -> str | None:
    """Id of the tree at the path `folder` under `tree`, or None."""
    for part in folder:
        wanted = part.encode("utf-8", "surrogateescape")
        found = next((entry for entry in objects.tree(tree) if entry.name == wanted), None)
        if found is None or found.mode != FOLDER:
            return None
        tree = found.id
    return tree


@dataclass(frozen=True, slots=True)
class _Step:
    commit: Commit
    tree: str | None
    parents: tuple[int, ...]
    generation: int
    """The longest way from here to a commit without parents."""
    touched: frozenset[str]
    named: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Pass:
    versions: list[tuple[int, int | None]]
    """For each commit, the model's number there and the newest commit that is counted."""
    giving: defaultdict[int, list[int]]
    """For each number, the commits at which it is reached."""


_NUMBER = re.compile(r"v[1-9][0-9]{0,8}")
_PREFIX = re.compile(r"[0-9a-f]{7,40}")
_MAPS_KEPT = 1000
_PASSES_KEPT = 8


def _key(entry: Entry) -> str:
    return entry.name.decode("utf-8", "surrogateescape")


def _uses(manifest: str, objects: Objects) -> frozenset[str]:
    return uses_named(objects.blob(manifest)) if objects.size(manifest) <= MOST_MANIFEST_BYTES else frozenset()
