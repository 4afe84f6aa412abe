"""Versions of a model by their names, by way of real repositories."""

from __future__ import annotations

import hashlib
import itertools
import threading
from pathlib import Path

import pytest

from core.errors import SourceError, VersionAmbiguous, VersionNotFound
from tests.githttp import git_server
from tests.loader.sources.git.following import followed, models
from tests.repos import Repo


def test_versions_are_found_by_number_and_by_commit(tmp_path: Path) -> None:
    repo = models(tmp_path)
    first = repo.head
    repo.commit_file("README.md", "between")
    between = repo.head
    repo.commit_file("Iris/etls.py", "second")
    with followed(repo, tmp_path / "data") as source:
        desired = source.look()
        one, two = source.resolve("Iris", "v1"), source.resolve("Iris", "v2")
        at_commit = source.resolve("Iris", between[:7])
    assert two == desired.models["Iris"]
    assert one.version.commit == first
    assert at_commit == one


def test_versions_are_found_while_the_remote_is_away(tmp_path: Path) -> None:
    repo = models(tmp_path)
    with followed(repo, tmp_path / "data") as source:
        wanted = source.look().models["Iris"]
    repo.path.rename(tmp_path / "away")
    with followed(repo, tmp_path / "data") as source:
        assert source.resolve("Iris", "v1") == wanted
        assert wanted.revision is not None
        (tmp_path / "into").mkdir()
        source.check_out(wanted.revision, tmp_path / "into")
        with pytest.raises(SourceError):
            source.look()
    assert (tmp_path / "into/Iris/etls.py").is_file()


def test_two_commits_with_one_number_on_side_branches_are_ambiguous(tmp_path: Path) -> None:
    repo = models(tmp_path)
    one = repo.branch("side").commit_file("Iris/a.py")
    other = repo.switch("main").commit_file("Iris/b.py")
    repo.merge("side")
    with followed(repo, tmp_path / "data") as source:
        assert source.look().models["Iris"].version.number == 4
        with pytest.raises(VersionAmbiguous, match=one) as caught:
            source.resolve("Iris", "v2")
        assert set(caught.value.commits) == {one, other}
        assert source.resolve("Iris", one[:10]).version.commit == one


def test_a_hash_that_begins_like_another_is_ambiguous_and_one_digit_more_is_not(tmp_path: Path) -> None:
    repo = models(tmp_path)
    first, second = alike(repo, 7)
    repo.git("update-ref", "refs/heads/main", first)
    repo.git("reset", "--quiet", "--hard")
    repo.git("branch", "side", second)
    repo.merge("side", "-s", "ours")
    length = next(length for length in range(7, 41) if first[:length] != second[:length])
    with followed(repo, tmp_path / "data") as source:
        source.look()
        with pytest.raises(VersionAmbiguous, match=second) as caught:
            source.resolve("Iris", first[: length - 1])
        assert set(caught.value.commits) == {first, second}
        assert source.resolve("Iris", first[:length]).version.number == 1
        for odd in (first.upper(), first + "0", "0" * 40, first[:6]):
            with pytest.raises(VersionNotFound):
                source.resolve("Iris", odd)


def alike(repo: Repo, digits: int) -> tuple[str, str]:
    """Two commits on top of the head whose hashes begin alike."""
    tree, parent = repo.git("rev-parse", "HEAD^{tree}", "HEAD").split()
    seen: dict[str, bytes] = {}
    for number in itertools.count():
        who = "Ada <ada@example.org> 1700000000 +0000"
        content = f"tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n\n{number}\n".encode()
        begin = hashlib.sha1(b"commit %d\0" % len(content) + content, usedforsecurity=False).hexdigest()[:digits]
        if begin in seen:
            one, other = (
                repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=each) for each in (seen[begin], content)
            )
            return one, other
        seen[begin] = content
    raise AssertionError


@pytest.mark.parametrize(
    "name",
    ["v0", "v3", "v01", "v99999999999", "V1", "HEAD", "--all", "main", "v1^", "0123456", "dead", "", "v1\n", "../x"],
)
def test_a_name_that_is_no_version_is_not_found(tmp_path: Path, name: str) -> None:
    with followed(models(tmp_path), tmp_path / "data") as source:
        source.look()
        with pytest.raises(VersionNotFound):
            source.resolve("Iris", name)


def test_a_commit_that_the_mirror_holds_and_the_branch_does_not_reach_is_not_found(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.branch("old").commit_file("Iris/etls.py", "old")
    with followed(repo, tmp_path / "data", branch="old") as source:
        source.look()
    with followed(repo, tmp_path / "data", branch="main") as source:
        source.look()
        repo.git("--git-dir", str(tmp_path / "data/mirror.git"), "cat-file", "-e", repo.head)
        with pytest.raises(VersionNotFound):
            source.resolve("Iris", repo.head[:12])
        repo.git("branch", "--move", "main", "renamed")
        with pytest.raises(SourceError):
            source.look()
        assert source.resolve("Iris", "v1").revision is not None


def test_a_commit_off_the_followed_branch_is_not_found(tmp_path: Path) -> None:
    repo = models(tmp_path)
    off = repo.branch("side").commit_file("Iris/etls.py", "off")
    repo.switch("main")
    with followed(repo, tmp_path / "data") as source:
        source.look()
        with pytest.raises(VersionNotFound):
            source.resolve("Iris", off)


def test_the_version_that_removed_a_model_is_not_found(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.remove("Iris").commit()
    repo.commit_file("Iris/etls.py", "back")
    with followed(repo, tmp_path / "data") as source:
        assert source.look().models["Iris"].version.number == 3
        with pytest.raises(VersionNotFound, match="is not a model at v2"):
            source.resolve("Iris", "v2")
        assert source.resolve("Iris", "v1").revision is not None


def test_a_version_that_is_not_there_is_known_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may ask for any."""
    with followed(models(tmp_path), tmp_path / "data") as source:
        source.look()
        monkeypatch.setenv("PATH", "")
        for name in ("v7", "0123456789", "abcdef0"):
            with pytest.raises(VersionNotFound, match=r"has no version|no commit reachable"):
                source.resolve("Iris", name)


def test_a_model_is_resolved_while_a_look_waits_for_the_remote(tmp_path: Path) -> None:
    models(tmp_path).bare(tmp_path / "models.git")
    with git_server(tmp_path) as server, followed(server.url("models.git"), tmp_path / "data") as source:
        source.look()
        server.hold = threading.Event()
        server.asked.clear()
        looking = threading.Thread(target=source.look)
        looking.start()
        assert server.asked.wait(100)
        assert source.resolve("Iris", "v1").revision is not None
        server.hold.set()
        looking.join()
