"""What commits change among the entries of one folder of the repository, as git compares them with their parents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from loader.files.git_objects import FOLDER, Commit, Entry, MirrorDamaged, Objects
from loader.files.model_folders import MOST_MANIFEST_BYTES, REQUIREMENTS, uses_named

ROOT_REQUIREMENTS = f"/{REQUIREMENTS}"
"""The requirements.txt at the repository's root, where the folder is another: no entry's name holds a slash."""


@dataclass(frozen=True, slots=True)
class Change:
    """One commit, and what it differs in from any of its parents: git counts a merge for each of them."""

    commit: Commit
    touched: tuple[str, ...]
    """Names of the folder's entries."""
    also: Mapping[str, tuple[str, ...]]
    """Names that count for a model as well from here on: what its model.yaml uses, or, where the folder is without
    requirements of its own, those of the repository."""


Differences = Callable[[Iterable[str], Iterable[str]], Iterator[bytes]]
"""Pieces of what `git diff-tree --stdin -m --root -r -t --raw -z` says of those commits, as far as those paths go."""


def read_changes(
    commits: Iterable[Commit], folder: tuple[str, ...], differences: Differences, objects: Objects
) -> Iterator[Change]:
    """The commits' changes, in order. Two gits compare them at a time."""
    manifests = _Manifests(objects)
    compare = partial(_compare, folder=folder, differences=differences)
    for some, compared in _ahead(compare, _portions(commits)):
        found = compared or {commit.id: _look(commit, folder, objects) for commit in some}
        for commit in some:
            seen = found.get(commit.id, _NOTHING)
            also = {name: frozenset(names) for name, names in seen.bare.items()}
            for name, blob in seen.manifests:
                also[name] = also.get(name, frozenset()) | manifests.uses(blob)
            yield Change(
                commit,
                tuple(sorted(seen.touched)),
                {name: tuple(sorted(names)) for name, names in also.items() if names},
            )


@dataclass(slots=True)
class _Seen:
    """What was found of one commit."""

    touched: set[str] = field(default_factory=set)
    manifests: set[tuple[str, str]] = field(default_factory=set)
    """Folders whose model.yaml it changes, and the blob that it is."""
    bare: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Folders that appear here without requirements, or lose them; and the names that count for them from here on."""


@dataclass(slots=True)
class _Entry:
    """What one comparison with a parent says of one entry."""

    appears: bool = False
    goes: bool = False
    gains_requirements: bool = False
    loses_requirements: bool = False

    @property
    def is_bare(self) -> bool:
        """Whether a folder is there, and wasn't without requirements in the parent, or wasn't there."""
        return not self.gains_requirements and (self.appears or (self.loses_requirements and not self.goes))


_NOTHING = _Seen()
_PORTION = 1000
_GITS = 2


def _portions(commits: Iterable[Commit]) -> Iterator[list[Commit]]:
    rest = iter(commits)
    while some := list(islice(rest, _PORTION)):
        yield some


def _ahead(
    work: Callable[[list[Commit]], dict[str, _Seen]], portions: Iterator[list[Commit]]
) -> Iterator[tuple[list[Commit], dict[str, _Seen] | None]]:
    """Each portion with what came of it; the next ones are worked at meanwhile."""
    with ThreadPoolExecutor(_GITS, "compare") as pool:
        under_way: list[tuple[list[Commit], Future[dict[str, _Seen]]]] = []
        for some in portions:
            under_way.append((some, pool.submit(work, some)))
            if len(under_way) > _GITS:
                first, done = under_way.pop(0)
                yield first, _result(done)
        for some, done in under_way:
            yield some, _result(done)


def _result(done: Future[dict[str, _Seen]]) -> dict[str, _Seen] | None:
    """None where git gave up."""
    with suppress(MirrorDamaged):
        return done.result()
    return None


def _look(commit: Commit, folder: tuple[str, ...], objects: Objects) -> _Seen:
    """The same for one commit, slowly, and however endless its folders are: only the first level of them is read."""
    seen = _Seen()
    ours, requirements = _entries(commit.id, folder, objects)
    for parent in commit.parents or (None,):
        theirs, others = _entries(parent, folder, objects)
        seen.touched |= {name for name, _ in ours.items() ^ theirs.items()}
        if folder and requirements != others:
            seen.touched.add(ROOT_REQUIREMENTS)
    for name in seen.touched & ours.keys():
        if ours[name].mode == FOLDER:
            files = {entry.name: entry for entry in objects.tree(ours[name].id)}
            if b"model.yaml" in files and files[b"model.yaml"].is_file:
                seen.manifests.add((name, files[b"model.yaml"].id))
            if REQUIREMENTS.encode() not in files or files[REQUIREMENTS.encode()].mode == FOLDER:
                seen.bare[name] = (REQUIREMENTS, ROOT_REQUIREMENTS) if folder else (REQUIREMENTS,)
    return seen


def _entries(commit: str | None, folder: tuple[str, ...], objects: Objects) -> tuple[Mapping[str, Entry], Entry | None]:
    """Those of the folder at a commit, and the root's requirements."""
    if commit is None:
        return {}, None
    root = found = {_name(entry): entry for entry in objects.tree(f"{commit}^{{tree}}")}
    for part in folder:
        inner = found.get(part)
        found = {_name(entry): entry for entry in objects.tree(inner.id)} if inner and inner.mode == FOLDER else {}
    return found, root.get(REQUIREMENTS)


def _name(entry: Entry) -> str:
    return entry.name.decode("utf-8", "surrogateescape")


def _compare(commits: list[Commit], folder: tuple[str, ...], differences: Differences) -> dict[str, _Seen]:
    paths = ["/".join(folder), REQUIREMENTS] if folder else []
    reading = _Reading("".join(f"{part}/" for part in folder))
    tokens = _tokens(differences((commit.id for commit in commits), paths))
    for token in tokens:
        if token.startswith(":"):
            reading.take(next(tokens), token[1:7], token[8:14], token)
        else:
            reading.turn_to(token)
    return reading.end()


def _tokens(pieces: Iterator[bytes]) -> Iterator[str]:
    """What stands between NULs: a commit, once for each parent, and then pairs of what happened and to which path."""
    rest = b""
    for piece in pieces:
        whole, nul, rest = (rest + piece).rpartition(b"\0")
        if nul:
            yield from whole.decode("utf-8", "surrogateescape").split("\0")


class _Reading:
    """Takes up what happened to one path after another. Modes are git's, before and after."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._defaults = (REQUIREMENTS, ROOT_REQUIREMENTS) if prefix else (REQUIREMENTS,)
        self._found: dict[str, _Seen] = {}
        self._seen = _Seen()
        self._entries: defaultdict[str, _Entry] = defaultdict(_Entry)

    def turn_to(self, commit: str) -> None:
        self._end_comparison()
        self._seen = self._found.setdefault(commit, _Seen())

    def end(self) -> dict[str, _Seen]:
        self._end_comparison()
        return self._found

    def take(self, path: str, before: str, after: str, happened: str) -> None:
        is_file = before not in _NO_FILE or after not in _NO_FILE  # git counts what is in folders, not the folders
        if self._prefix and is_file and path.split("/", 1)[0] == REQUIREMENTS:
            self._seen.touched.add(ROOT_REQUIREMENTS)
        if not path.startswith(self._prefix):
            return
        name, _, below = path.removeprefix(self._prefix).partition("/")
        if is_file:
            self._seen.touched.add(name)
        if not below:
            self._take_folder(name, before, after)
        elif below == "model.yaml" and after.startswith("100"):
            self._seen.manifests.add((name, happened.split(" ")[3]))
        elif below == REQUIREMENTS:
            self._take_requirements(name, before, after)

    def _take_folder(self, name: str, before: str, after: str) -> None:
        if before != after and _TREE in (before, after):
            entry = self._entries[name]
            entry.appears |= after == _TREE
            entry.goes |= before == _TREE

    def _take_requirements(self, name: str, before: str, after: str) -> None:
        entry = self._entries[name]
        entry.gains_requirements |= after not in _NO_FILE
        entry.loses_requirements |= before not in _NO_FILE

    def _end_comparison(self) -> None:
        if self._entries:
            self._seen.bare |= {name: self._defaults for name, entry in self._entries.items() if entry.is_bare}
            self._entries.clear()


_TREE = "040000"
_NO_FILE = ("000000", _TREE)


class _Manifests:
    """What the manifests name in `uses`, each read once."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._named: dict[str, frozenset[str]] = {}

    def uses(self, blob: str) -> frozenset[str]:
        if blob not in self._named:
            small = self._objects.size(blob) <= MOST_MANIFEST_BYTES
            self._named[blob] = uses_named(self._objects.blob(blob)) if small else frozenset()
        return self._named[blob]
