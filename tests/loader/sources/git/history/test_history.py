"""Version numbers against what git itself counts, over histories of every shape.

`HISTORY_EXAMPLES=1000` looks for longer.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import VersionAmbiguous, VersionNotFound
from core.release import Candidate, Revision, Version
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.repos import Repo

FOLDERS = ("A", "B", "common")
REQUIREMENTS = ("requirements.txt", "/requirements.txt")
"""Those beside the models, and those at the repository's root, where that is another folder."""

Step = tuple[str, str, list[int], int]
"""Which folder becomes what, or which requirements, on top of which of the commits before, by which clock."""

KINDS: Mapping[str, Mapping[str, str]] = {
    "one": {"etls.py": "one"},
    "two": {"etls.py": "two"},
    "uses": {"etls.py": "one", "model.yaml": "uses: [common]"},
    "uses none": {"etls.py": "one", "model.yaml": "uses: []"},
    "own": {"etls.py": "one", "requirements.txt": "own"},
    "own, uses": {"etls.py": "two", "requirements.txt": "own", "model.yaml": "uses: [common]"},
    "folders of such names": {"etls.py": "one", "requirements.txt/a": "one", "model.yaml/b": "uses: [common]"},
    "nothing but an empty folder": {"empty/": ""},
}

folders = st.tuples(st.sampled_from(FOLDERS), st.sampled_from([*KINDS, "a file", "gone", "as it was"]))
requirements = st.tuples(st.sampled_from(REQUIREMENTS), st.sampled_from(["one", "two", "gone"]))
histories = st.lists(
    st.tuples(
        st.one_of(folders, folders, requirements),
        st.lists(st.integers(min_value=0, max_value=8), min_size=1, max_size=3),
        st.integers(min_value=-5, max_value=5),
    ).map(lambda drawn: (*drawn[0], drawn[1], drawn[2])),
    min_size=3,
    max_size=10,
)
places = st.sampled_from(["", "live/models"])
some = settings(max_examples=int(os.environ.get("HISTORY_EXAMPLES", "10")))


@some
@given(histories, places)
def test_numbers_are_what_git_counts_and_never_slip_back_while_history_only_grows(
    history: list[Step], place: str
) -> None:
    with tempfile.TemporaryDirectory() as folder, written(folder, history, place) as (made, growing):
        before = None
        for commit in made.commits:
            made.repo.git("update-ref", "refs/heads/main", commit)
            desired = growing.look()
            reachable = made.reachable(commit)
            for name, wanted in desired.models.items():
                assert wanted.version.number == made.counted(commit, name)
                assert wanted.version.commit in reachable
                if before is not None and before.head in reachable and name in before.models:
                    assert wanted.version.number >= before.models[name].version.number
            is_left = before is not None and before.head not in reachable
            assert desired.left_behind == (before.head if before is not None and is_left else "")
            before = desired
        for data in ("data", "another"):  # what was kept, and what was never counted
            again = GitSource(Remote(str(made.repo), folder=place), Path(folder, data))
            assert released(again.look().models.values()) == released(desired.models.values())
            assert released(again.resolve(name, commit) for name in desired.models) == released(desired.models.values())
            again.close()


@some
@given(histories, places)
def test_every_commit_and_every_number_leads_to_what_git_counts_there(history: list[Step], place: str) -> None:
    with tempfile.TemporaryDirectory() as folder, written(folder, history, place) as (made, source):
        made.repo.git("update-ref", "refs/heads/main", made.commits[-1])
        source.look()
        for commit in made.reachable(made.commits[-1]):
            if made.is_model(commit, "A"):
                assert source.resolve("A", commit).version.number == made.counted(commit, "A")
        giving = made.reaching("A")
        for number in range(1, max(giving, default=0) + 2):
            check(source, f"v{number}", giving.get(number, set()), made)


def check(source: GitSource, name: str, expected: set[str], made: Made) -> None:
    if len(expected) > 1:
        with pytest.raises(VersionAmbiguous) as caught:
            source.resolve("A", name)
        assert set(caught.value.commits) == expected
    elif any(made.is_model(commit, "A") for commit in expected):
        assert source.resolve("A", name).version.label == name
    else:
        with pytest.raises(VersionNotFound):
            source.resolve("A", name)


def released(models: Iterable[Candidate]) -> list[tuple[str, Version, Revision | None]]:
    """Without the failures, which are equal to themselves alone."""
    return [(wanted.model, wanted.version, wanted.revision) for wanted in models]


@contextmanager
def written(folder: str, history: list[Step], place: str) -> Iterator[tuple[Made, GitSource]]:
    made = Made(Repo(Path(folder, "models")), place)
    for name, what, parents, clock in history:
        made.commit(name, what, parents, clock)
    source = GitSource(Remote(str(made.repo), folder=place), Path(folder, "data"))
    yield made, source
    source.close()


@dataclass
class Made:
    """A repository whose objects are written here, for git would take a process to each.

    Every commit has the folder Keep, so that there is a model.
    """

    repo: Repo
    place: str
    commits: list[str] = field(default_factory=list)
    states: dict[str, dict[str, str]] = field(default_factory=dict)
    """By commit, what each folder is."""
    parents: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    """What git counted, by commit and model."""
    now: int = 1_700_000_000

    def commit(self, name: str, what: str, chosen: list[int], clock: int) -> None:
        count = len(self.commits)
        parents = list(dict.fromkeys(self.commits[index % count] for index in chosen)) if count else []
        state = dict(self.states[parents[0]]) if parents else {"Keep": "own"}
        if what == "gone":
            state.pop(name, None)
        elif what != "as it was":
            state[name] = what
        self.now += 1 + clock
        who = f"Ada <ada@example.org> {self.now} +0000"
        lines = [f"tree {self._tree(self._files(state))}", *(f"parent {parent}" for parent in parents)]
        text = "\n".join([*lines, f"author {who}", f"committer {who}", "", f"{count} {clock}", ""])
        commit = self._store("commit", text.encode())
        self.commits.append(commit)
        self.states[commit], self.parents[commit] = state, parents

    def reachable(self, commit: str) -> set[str]:
        return {commit}.union(*map(self.reachable, self.parents[commit]))

    def is_model(self, commit: str, name: str) -> bool:
        return "etls.py" in KINDS.get(self.states[commit].get(name, ""), {})

    def counted(self, commit: str, model: str) -> int:
        """What git counts, over the model's folder and all that it ever had to do with."""
        key = commit, model
        if key not in self.counts:
            self.counts[key] = self._count(commit, model)
        return self.counts[key]

    def _count(self, commit: str, model: str) -> int:
        was = {self.states[before].get(model, "") for before in self.reachable(commit)}
        paths = [model]
        if was & {"uses", "own, uses"}:
            paths.append("common")
        if was & (KINDS.keys() - {"own", "own, uses"}):
            paths.append("requirements.txt")
        paths = [f"{self.place}/{path}".removeprefix("/") for path in paths]
        if "requirements.txt" in paths[-1]:
            paths.append("requirements.txt")
        return int(self.repo.git("rev-list", "--full-history", "--count", commit, "--", *paths))

    def reaching(self, model: str) -> dict[int, set[str]]:
        """For each number, the commits at which it is reached."""
        giving: defaultdict[int, set[str]] = defaultdict(set)
        numbers = {commit: self.counted(commit, model) for commit in self.reachable(self.commits[-1])}
        for commit, number in numbers.items():
            if number > max((numbers[parent] for parent in self.parents[commit]), default=0):
                giving[number].add(commit)
        return giving

    def _files(self, state: Mapping[str, str]) -> dict[str, str]:
        files: dict[str, str] = {}
        for name, what in state.items():
            if name == "/requirements.txt":
                files["requirements.txt"] = what
            elif name == "requirements.txt" or what == "a file":
                files[f"{self.place}/{name}".removeprefix("/")] = what
            else:
                files |= {f"{self.place}/{name}/{file}".removeprefix("/"): text for file, text in KINDS[what].items()}
        return files

    def _tree(self, files: Mapping[str, str]) -> str:
        below: defaultdict[str, dict[str, str]] = defaultdict(dict)
        entries: dict[str, tuple[str, str]] = {}
        """By name, a folder's with the slash by which git sorts it."""
        for path, content in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                below[name] |= {rest: content} if rest else {}
            else:
                entries[name] = "100644", self._store("blob", content.encode())
        entries |= {f"{name}/": ("40000", self._tree(inner)) for name, inner in below.items()}
        lines = [
            f"{mode} {name.rstrip('/')}\0".encode() + bytes.fromhex(id) for name, (mode, id) in sorted(entries.items())
        ]
        return self._store("tree", b"".join(lines))

    def _store(self, kind: str, content: bytes) -> str:
        data = f"{kind} {len(content)}\0".encode() + content
        id = hashlib.sha1(data).hexdigest()
        file = self.repo.path / ".git" / "objects" / id[:2] / id[2:]
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(zlib.compress(data, 1))
        return id
