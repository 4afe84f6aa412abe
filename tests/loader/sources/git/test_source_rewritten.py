"""A history that is rewritten, emptied, or gone, by way of real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import SourceError, VersionNotFound
from tests.loader.sources.git.following import followed, models, version
from tests.repos import Repo


def test_a_forced_push_is_followed_and_noted(tmp_path: Path) -> None:
    repo = models(tmp_path)
    first = repo.head
    repo.commit_file("Iris/etls.py", "lost")
    lost = repo.head
    remote = repo.bare(tmp_path / "remote.git")
    with followed(remote, tmp_path / "data") as source:
        seen = source.look()
        assert (seen.models["Iris"].version.number, seen.left_behind) == (2, "")
        repo.reset(first)
        repo.commit_file("common/x.py", "instead")
        repo.push(remote, force=True)
        desired = source.look()
        assert version(desired, "Iris") == (1, first)
        assert desired.left_behind == lost
        with pytest.raises(VersionNotFound):
            source.resolve("Iris", lost)


def test_a_rewriting_is_noted_even_when_its_first_commit_holds_no_model(tmp_path: Path) -> None:
    repo = models(tmp_path)
    lost = repo.head
    with followed(repo, tmp_path / "data") as source:
        source.look()
        repo.git("checkout", "--quiet", "--orphan", "other")
        repo.remove(".").commit()
        repo.git("branch", "--force", "main")
        repo.switch("main")
        with pytest.raises(SourceError, match="no model"):
            source.look()
        repo.commit_file("Iris/etls.py", "back")
        assert source.look().left_behind == lost
        repo.commit_file("Iris/etls.py", "on")
        assert source.look().left_behind == ""


def test_a_rewriting_while_nobody_looked_is_noted_at_the_next_start(tmp_path: Path) -> None:
    repo = models(tmp_path)
    first = repo.head
    lost = repo.commit_file("Iris/etls.py", "lost")
    with followed(repo, tmp_path / "data") as source:
        source.look()
    repo.reset(first).commit_file("Iris/etls.py", "instead")
    for left_behind in (lost, ""):
        with followed(repo, tmp_path / "data") as source:
            assert source.look().left_behind == left_behind
    repo.commit_file("Iris/etls.py", "more")
    with followed(repo, tmp_path / "data") as source:
        assert source.look().left_behind == ""


def test_an_ordinary_push_leaves_nothing_behind(tmp_path: Path) -> None:
    repo = models(tmp_path)
    with followed(repo, tmp_path / "data") as source:
        source.look()
        repo.commit_file("Iris/etls.py", "more")
        repo.commit_file("Iris/etls.py", "and more")
        assert source.look().left_behind == ""
        repo.branch("side").commit_file("Iris/etls.py", "side")
        repo.switch("main").commit_file("README.md", "main")
        repo.merge("side")
        assert source.look().left_behind == ""


def test_a_commit_that_removes_some_models_is_honoured(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.remove("Iris").commit()
    with followed(repo, tmp_path / "data") as source:
        assert set(source.look().models) == {"Churn"}


def test_a_commit_that_leaves_no_model_at_all_is_refused(tmp_path: Path) -> None:
    repo = models(tmp_path)
    with followed(repo, tmp_path / "data") as source:
        source.look()
        repo.remove("Iris").remove("Churn").commit()
        with pytest.raises(SourceError, match=r"no model.*gitFolder"):
            source.look()
        with pytest.raises(SourceError, match="no model"):
            source.look()
        repo.commit_file("Iris/etls.py", "back")
        assert set(source.look().models) == {"Iris"}


def test_an_empty_repository_says_so(tmp_path: Path) -> None:
    with (
        followed(Repo(tmp_path / "empty"), tmp_path / "data") as source,
        pytest.raises(SourceError, match="no commit on its default branch"),
    ):
        source.look()


def test_a_branch_that_vanishes_says_so_and_one_that_comes_back_is_followed(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.git("branch", "live")
    with followed(repo, tmp_path / "data", branch="live") as source:
        source.look()
        repo.git("branch", "-D", "live")
        with pytest.raises(SourceError, match="no branch 'live'"):
            source.look()
        repo.git("branch", "live")
        assert source.look().head == repo.head


def test_a_repository_that_is_not_there_says_so(tmp_path: Path) -> None:
    with (
        followed(tmp_path / "nowhere", tmp_path / "data") as source,
        pytest.raises(SourceError, match=r"nowhere: there is no such repository.*check gitPath"),
    ):
        source.look()
