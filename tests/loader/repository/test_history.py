"""Version numbers against what git itself counts, over histories of every shape."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import VersionAmbiguous, VersionNotFound
from core.release import Release, Version, Wanted
from loader.repository.remote import Remote
from loader.repository.source import GitSource
from tests.repos import Repo

NAMES = ("A", "B", "common")

History = list[tuple[str, str, list[int], int]]
"""Commits: which folder becomes what, on top of which of the commits before, by which clock."""

changes = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from(["one", "two", "three", "uses", "uses none", "gone"]),
        st.lists(st.integers(min_value=0, max_value=8), min_size=1, max_size=3),
        st.integers(min_value=-5, max_value=5),
    ),
    min_size=3,
    max_size=9,
)


@settings(max_examples=25)
@given(changes)
def test_numbers_are_what_git_counts_never_slip_back_and_are_the_same_on_a_fresh_clone(history: History) -> None:
    with tempfile.TemporaryDirectory() as folder, following(folder) as (repo, growing):
        before = None
        for commit in write(repo, history):
            repo.git("update-ref", "refs/heads/main", commit)
            desired = growing.look()
            reachable = set(repo.git("rev-list", commit).split())
            for name, wanted in desired.models.items():
                assert wanted.version.number == counted(repo, commit, name)
                assert wanted.version.commit in reachable
                if before is not None and before.head in reachable and name in before.models:
                    assert wanted.version.number >= before.models[name].version.number
            before = desired
        fresh = GitSource(Remote(str(repo)), Path(folder, "fresh"))
        assert released(fresh.look().models.values()) == released(desired.models.values())
        assert released(fresh.resolve(name, commit) for name in desired.models) == released(desired.models.values())
        fresh.close()


@settings(max_examples=25)
@given(changes)
def test_a_number_leads_to_the_commits_that_reach_it(history: History) -> None:
    with tempfile.TemporaryDirectory() as folder, following(folder) as (repo, source):
        commits = write(repo, history)
        repo.git("update-ref", "refs/heads/main", commits[-1])
        source.look()
        giving = reaching(repo, commits[-1], "A")
        for number in range(1, max(giving, default=0) + 2):
            check(source, f"v{number}", giving.get(number, set()), repo)


def check(source: GitSource, name: str, expected: set[str], repo: Repo) -> None:
    if len(expected) > 1:
        with pytest.raises(VersionAmbiguous) as caught:
            source.resolve("A", name)
        assert set(caught.value.commits) == expected
    elif any(repo.exists(f"{commit}:A") for commit in expected):
        assert source.resolve("A", name).version.label == name
    else:
        with pytest.raises(VersionNotFound):
            source.resolve("A", name)


def released(models: Iterable[Wanted]) -> list[tuple[str, Version, Release | None]]:
    """Without the failures, which are equal to themselves alone."""
    return [(wanted.model, wanted.version, wanted.release) for wanted in models]


@contextmanager
def following(folder: str) -> Iterator[tuple[Repo, GitSource]]:
    repo = Repo(Path(folder, "models"))
    source = GitSource(Remote(str(repo)), Path(folder, "data"))
    yield repo, source
    source.close()


def reaching(repo: Repo, head: str, model: str) -> dict[int, set[str]]:
    """For each number, the commits at which it is reached."""
    giving: defaultdict[int, set[str]] = defaultdict(set)
    numbers: dict[str, int] = {}
    for line in repo.git("rev-list", "--topo-order", "--reverse", "--parents", head).splitlines():
        commit, *parents = line.split()
        numbers[commit] = counted(repo, commit, model)
        if numbers[commit] > max((numbers[parent] for parent in parents), default=0):
            giving[numbers[commit]].add(commit)
    return giving


def write(repo: Repo, history: History) -> list[str]:
    """Make the commits, with plumbing alone; each has the folder Keep so that there always is a model."""
    blobs = {content: repo.blob(content) for content in ("one", "two", "three", "uses: [common]", "uses: []")}
    commits: list[str] = []
    trees: list[dict[str, str]] = []
    keep = repo.git("mktree", stdin=f"100644 blob {blobs['one']}\tetls.py\n".encode())
    for name, what, chosen, clock in history:
        parents = list(dict.fromkeys(index % len(commits) for index in chosen)) if commits else []
        tree = dict(trees[parents[0]]) if parents else {"Keep": keep}
        if what == "gone":
            tree.pop(name, None)
        else:
            entries = f"100644 blob {blobs['one' if what.startswith('uses') else what]}\tetls.py\n"
            if what.startswith("uses"):
                manifest = blobs["uses: [common]" if what == "uses" else "uses: []"]
                entries += f"100644 blob {manifest}\tmodel.yaml\n"
            tree[name] = repo.git("mktree", stdin=entries.encode())
        root = repo.git("mktree", stdin="".join(f"040000 tree {id}\t{n}\n" for n, id in tree.items()).encode())
        options = [option for parent in parents for option in ("-p", commits[parent])]
        repo.turn_clock(clock)
        commits.append(repo.git("commit-tree", root, "-m", f"{len(commits)} {clock}", *options))
        trees.append(tree)
    return commits


def counted(repo: Repo, commit: str, model: str) -> int:
    """What git counts, over the model's folder and all that it ever named."""
    manifests = repo.git(
        "log", "--full-history", "-m", "--format=", "--raw", "--no-abbrev", commit, "--", f"{model}/model.yaml"
    )
    blobs = {line.split()[3] for line in manifests.splitlines() if line}
    named = any("common" in repo.git("cat-file", "blob", blob) for blob in blobs if set(blob) != {"0"})
    folders = [model, "common"] if named else [model]
    return int(repo.git("rev-list", "--full-history", "--count", commit, "--", *folders))
