from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.decisions import Decisions
from core.errors import NotTrained, VersionNotFound
from core.manifest.manifest import Manifest
from core.release import Artifact, Candidate, Release, Revision, Served, Version
from loader.controller.release_names import ReleaseNames, goes_by
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.repos import Repo

ONE, TWO = Artifact("a1", "0" * 12), Artifact("a2", "1" * 12)


@dataclass
class Known:
    heads: Mapping[str, Candidate]
    decided: Decisions = field(default_factory=Decisions)
    live: list[Release] = field(default_factory=list)

    def last_releases(self) -> list[Release]:
        return self.live


class Trained:
    """Two versions of a model that trains, and one that doesn't."""

    def __init__(self, folder: Path) -> None:
        repo = Repo(folder / "models")
        repo.write("Churn/etls.py").write("Iris/train.py", "1").commit()
        repo.commit_file("Iris/train.py", "2")
        self.source = GitSource(Remote(str(repo)), folder / "data")
        self.known = Known(self.source.look().models)
        self.asked: list[tuple[str, str]] = []
        self.left: Artifact | None = None
        self.names = ReleaseNames(self.source, self.known, self._artifact_of)

    def _artifact_of(self, model: str, run: str) -> Artifact | None:
        self.asked.append((model, run))
        return self.left

    def key(self, name: str = "v2") -> str:
        revision = self.source.resolve("Iris", name).revision
        assert revision is not None
        assert revision.code_key is not None
        return revision.code_key

    def release(self, name: str, model: str = "Iris") -> Release:
        release = self.names.find(model, name).release
        assert release is not None
        return release


@pytest.fixture
def trained(tmp_path: Path) -> Iterator[Trained]:
    with following(tmp_path) as one:
        yield one


@contextmanager
def following(folder: Path) -> Iterator[Trained]:
    one = Trained(folder)
    try:
        yield one
    finally:
        one.source.close()


def test_a_version_is_its_revision_with_its_newest_accepted_artifact(trained: Trained) -> None:
    trained.known.decided = Decisions(artifacts={trained.key("v1"): (ONE,), trained.key(): (TWO, ONE)})
    assert trained.release("v1").run == ONE.run
    assert trained.release("v2").run == TWO.run
    assert trained.release("v1", "Churn").artifact is None


def test_a_version_that_was_never_trained_tells_how_its_run_stands(trained: Trained) -> None:
    trained.known.decided = Decisions(runs={trained.key("v1"): "running"})
    with pytest.raises(NotTrained) as caught:
        trained.names.find("Iris", "v1")
    assert caught.value.run == "running"


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("running", "Iris v1 has no accepted artifact: its run 0123456789ab is running"),
        ("rejected", "its run 0123456789ab is rejected; pawl runs accept 0123456789ab takes what it left all the same"),
        ("failed", "its run 0123456789ab is failed; pawl runs show 0123456789ab says why"),
    ],
)
def test_a_version_that_was_never_trained_tells_what_to_do(trained: Trained, state: str, says: str) -> None:
    key = trained.key("v1")
    trained.known.decided = Decisions(runs={key: state}, run_keys={key: "0123456789ab"})
    with pytest.raises(NotTrained) as caught:
        trained.names.find("Iris", "v1")
    assert str(caught.value).endswith(says)


def test_a_run_names_the_newest_revision_with_what_it_left(trained: Trained) -> None:
    trained.known.decided = Decisions(artifacts={trained.key(): (TWO, ONE)})
    found = trained.names.find("Iris", f"run-{ONE.run}")
    assert found.release == Release(trained.release("v2").revision, ONE)
    assert found.version.label == "v2"
    assert trained.asked == []


def test_what_a_run_of_older_code_left_is_found_where_it_was_live_or_is_kept(trained: Trained) -> None:
    head = trained.known.heads["Iris"].revision
    assert head is not None
    with pytest.raises(VersionNotFound, match="left an artifact"):
        trained.names.find("Iris", f"run-{ONE.run}")
    trained.left = ONE
    assert trained.release(f"run-{ONE.run}") == Release(head, ONE)
    trained.left, trained.known.live = None, [Release(head, TWO)]
    assert trained.release(f"run-{TWO.run}") == Release(head, TWO)


def test_a_run_of_another_model_is_no_name(trained: Trained) -> None:
    trained.known.decided = Decisions(artifacts={trained.key(): (ONE,)})
    for model in ("Churn", "Gone"):
        with pytest.raises(VersionNotFound):
            trained.names.find(model, f"run-{ONE.run}")


@pytest.mark.parametrize(
    ("name", "is_it"), [("v3", True), ("local-0123456", True), ("local-012345", False), ("local-1", False)]
)
def test_a_local_release_goes_by_as_many_digits_as_a_commit(name: str, is_it: bool) -> None:
    release = Release(Revision("Iris", "0123456789ab", Manifest(), {}))
    assert goes_by(Served(release, Version(3, "local-0123456789ab")), name) is is_it
