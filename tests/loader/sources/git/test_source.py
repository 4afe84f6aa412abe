"""Models from a git repository, by way of real repositories."""

from __future__ import annotations

import hashlib
import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors import SettingError, SourceError, VersionAmbiguous, VersionNotFound
from core.manifest.manifest import Manifest, parse_manifest
from core.release import Snapshot
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.githttp import git_server
from tests.repos import Repo


@contextmanager
def followed(repo: Repo | Path | str, data: Path, **settings: object) -> Iterator[GitSource]:
    source = GitSource(Remote(str(repo), **settings), data)  # type: ignore[arg-type]
    try:
        yield source
    finally:
        source.close()


def models(tmp_path: Path) -> Repo:
    """Two models, one of which shares a folder."""
    repo = Repo(tmp_path / "models")
    repo.write("Iris/etls.py", "class transform_predict: pass")
    repo.write("Churn/etls.py", "import common").write("Churn/model.yaml", "uses: [common]\n")
    repo.write("common/__init__.py", "")
    repo.write("README.md", "models")
    repo.commit("first")
    return repo


def version(desired: Snapshot, model: str) -> tuple[int, str]:
    found = desired.models[model].version
    return found.number, found.commit


def test_the_folders_with_a_class_a_manifest_or_an_onnx_file_are_models(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.write("Net/net.onnx", "").write("Trained/model.yaml", "description: soon").write("data/rows.csv", "").commit()
    with followed(repo, tmp_path / "data") as source:
        desired = source.look()
    assert set(desired.models) == {"Iris", "Churn", "Net", "Trained"}
    assert desired.left_out == {}
    assert desired.head == repo.head


def test_a_model_with_a_name_that_can_not_be_served_is_left_out_with_the_reason(tmp_path: Path) -> None:
    repo = models(tmp_path)
    for name in ("all", "a b", "requirements.txt"):
        repo.write(f"{name}/etls.py", "")
    repo.commit()
    with followed(repo, tmp_path / "data") as source:
        left_out = source.look().left_out
    assert set(left_out) == {"all", "a b", "requirements.txt"}
    assert "rename the folder" in left_out["all"]


def test_what_nobody_thought_of_fails_the_model_that_it_came_up_with_alone(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.write("Odd/etls.py", "").write("Odd/model.yaml", "description: odd").commit()
    source = GitSource(Remote(str(repo.path)), tmp_path / "data", parse=breaks_on_odd)
    desired = source.look()
    found = source.resolve("Odd", "v1")
    source.close()
    for odd in (desired.models["Odd"], found):
        assert odd.revision is None
        assert "Pawl itself failed: RecursionError" in str(odd.failure)
    assert desired.models["Iris"].revision is not None
    assert desired.models["Churn"].revision is not None


def breaks_on_odd(manifest: bytes) -> Manifest:
    if b"odd" in manifest:
        raise RecursionError
    return parse_manifest(manifest)


def test_a_submodule_is_reported_and_not_followed(tmp_path: Path) -> None:
    repo = models(tmp_path)
    iris = repo.git("rev-parse", "HEAD:Iris")
    repo.commit_entries(("40000", iris, "Iris"), ("160000", "1" * 40, "vendored"))
    with followed(repo, tmp_path / "data") as source:
        desired = source.look()
    assert set(desired.models) == {"Iris"}
    assert "submodule" in desired.left_out["vendored"]


def test_only_a_commit_that_changes_the_model_makes_a_new_release(tmp_path: Path) -> None:
    repo = models(tmp_path)
    with followed(repo, tmp_path / "data") as source:
        before = source.look()
        first = repo.head
        repo.commit_file("README.md", "more")
        unchanged = source.look()
        repo.commit_file("Iris/etls.py", "changed")
        after = source.look()
    assert unchanged.head != before.head
    assert unchanged.models == before.models
    assert version(after, "Iris") == (2, repo.head)
    assert version(after, "Churn") == (1, first)
    assert after.models["Iris"].revision != before.models["Iris"].revision
    assert after.models["Churn"].revision == before.models["Churn"].revision


def test_a_shared_folder_is_part_of_the_release_and_of_the_version(tmp_path: Path) -> None:
    repo = models(tmp_path)
    with followed(repo, tmp_path / "data") as source:
        before = source.look().models["Churn"]
        repo.commit_file("common/x.py", "1")
        after = source.look().models["Churn"]
    assert after.revision is not None
    assert after.revision != before.revision
    assert set(after.revision.folders) == {"Churn", "common"}
    assert after.version.number == 2 == repo.count("Churn", "common")


def test_dropping_a_shared_folder_never_takes_a_version_back(tmp_path: Path) -> None:
    repo = models(tmp_path)
    for content in "abc":
        repo.commit_file("common/x.py", content)
    with followed(repo, tmp_path / "data") as source:
        before = source.look().models["Churn"].version.number
        repo.commit_file("Churn/model.yaml", "description: alone\n")
        after = source.look().models["Churn"].version
        assert source.resolve("Churn", "v5").version == after
        assert source.resolve("Churn", "v4").version.number == before
    assert (before, after.number) == (4, 5)
    assert repo.count("Churn") == 2


def test_a_revert_is_a_new_version_of_an_old_release(tmp_path: Path) -> None:
    repo = models(tmp_path)
    with followed(repo, tmp_path / "data") as source:
        first = source.look().models["Iris"]
        repo.commit_file("Iris/etls.py", "worse")
        repo.revert()
        again = source.look().models["Iris"]
    assert again.revision == first.revision
    assert again.version.number == 3
    assert again.version.commit == repo.head


def test_the_default_requirements_belong_to_the_releases_and_versions_that_they_apply_to(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.write("Iris/requirements.txt", "own").write("requirements.txt", "default").commit()
    with followed(repo, tmp_path / "data") as source:
        before = source.look().models
        repo.commit_file("requirements.txt", "other")
        after = source.look().models
    assert after["Iris"].revision == before["Iris"].revision
    assert after["Churn"].revision != before["Churn"].revision
    assert after["Iris"].version.number == before["Iris"].version.number + 1, "it was without its own at first"
    assert after["Churn"].version.number == before["Churn"].version.number + 1
    assert after["Churn"].version.commit == repo.head


def test_a_model_that_always_had_requirements_of_its_own_has_no_version_by_those_of_the_repository(
    tmp_path: Path,
) -> None:
    repo = models(tmp_path)
    repo.write("Own/etls.py").write("Own/requirements.txt", "own").commit()
    repo.commit_file("requirements.txt", "default")
    with followed(repo, tmp_path / "data") as source:
        assert version(source.look(), "Own")[0] == 1


def test_from_the_commit_on_that_takes_a_models_requirements_away_those_of_the_repository_count(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.write("Own/etls.py").write("Own/requirements.txt", "own").write("requirements.txt", "default").commit()
    repo.commit_file("requirements.txt", "other")
    own = repo.head
    repo.remove("Own/requirements.txt").commit()
    repo.commit_file("Own/requirements.txt", "own again")
    with followed(repo, tmp_path / "data") as source:
        assert version(source.look(), "Own") == (4, repo.head), (
            "its own three, and the one that changed those of the repository"
        )
        assert source.resolve("Own", own).version.number == 1
    assert repo.count("Own", "requirements.txt") == 4


def test_requirements_in_the_models_folder_win_over_those_at_the_root(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("live/models/Iris/etls.py").write("requirements.txt", "root").commit()
    with followed(repo, tmp_path / "data", folder="live/models/") as source:
        root = source.look().models["Iris"].revision
        repo.commit_file("live/models/requirements.txt", "nearer")
        nearer = source.look().models["Iris"].revision
    assert root is not None
    assert nearer is not None
    assert root.default_requirements == repo.git("rev-parse", "HEAD:requirements.txt")
    assert nearer.default_requirements == repo.git("rev-parse", "HEAD:live/models/requirements.txt")


@pytest.mark.parametrize("uses", ["[missing]", "[README.md]", "['..']", "['Iris/etls.py']", "['']", "['.git']"])
def test_a_shared_folder_that_is_none_fails_the_release_by_name(tmp_path: Path, uses: str) -> None:
    repo = models(tmp_path)
    repo.commit_file("Churn/model.yaml", f"uses: {uses}\n")
    with followed(repo, tmp_path / "data") as source:
        churn = source.look().models["Churn"]
    assert churn.revision is None
    assert churn.failure is not None
    assert churn.failure.stage == "manifest"
    assert uses.strip("[]'") in str(churn.failure)


def test_a_manifest_that_is_wrong_fails_its_own_model_alone(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.commit_file("Churn/model.yaml", "servee: {}\n")
    with followed(repo, tmp_path / "data") as source:
        found = source.look().models
    assert "servee" in str(found["Churn"].failure)
    assert found["Churn"].version.number == 2
    assert found["Iris"].revision is not None


def test_the_named_branch_is_followed(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.branch("next").commit_file("Iris/etls.py", "next")
    ahead = repo.head
    repo.switch("main")
    with followed(repo, tmp_path / "data", branch="next") as source:
        assert source.look().head == ahead


def test_following_something_else_in_the_same_data_folder_works(tmp_path: Path) -> None:
    repo = models(tmp_path)
    other = Repo(tmp_path / "other")
    other.commit_file("Other/etls.py")
    data = tmp_path / "data"
    with followed(repo, data) as source:
        source.look()
    with followed(other, data) as source:
        with pytest.raises(VersionNotFound):
            source.resolve("Iris", "v1")
        assert set(source.look().models) == {"Other"}


def test_nothing_is_kept_of_what_was_followed_before(tmp_path: Path) -> None:
    repo = models(tmp_path)
    with followed(repo, tmp_path / "data") as source:
        source.look()
    repo.git("branch", "live")
    with followed(repo, tmp_path / "data", branch="live") as source:
        source.look()
        source.look()
    mirror = tmp_path / "data/mirror.git"
    refs = repo.git("--git-dir", str(mirror), "for-each-ref", "--format=%(objectname)")
    assert refs == repo.head


def test_the_newest_commit_gives_the_version_whatever_its_clock_says(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.turn_clock(10_000).commit_file("Iris/etls.py", "ahead")
    repo.turn_clock(-10_000).commit_file("Iris/etls.py", "behind")
    with followed(repo, tmp_path / "data") as source:
        assert version(source.look(), "Iris") == (3, repo.head)
        assert source.resolve("Iris", "v3").version.commit == repo.head


def test_a_merge_is_counted_for_what_differs_from_any_of_its_parents(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.branch("side").commit_file("Iris/etls.py", "side")
    repo.switch("main").commit_file("README.md", "main")
    repo.merge("side")
    with followed(repo, tmp_path / "data") as source:
        desired = source.look()
    assert version(desired, "Iris") == (3, repo.head)
    assert repo.count("Iris") == 3
    assert desired.models["Churn"].version.number == 1


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


def test_a_merge_that_adds_nothing_is_no_version(tmp_path: Path) -> None:
    repo = models(tmp_path)
    first = repo.head
    repo.branch("side").commit_file("README.md", "side")
    repo.switch("main").commit_file("Churn/etls.py", "main")
    merge = repo.merge("side")
    with followed(repo, tmp_path / "data") as source:
        assert version(source.look(), "Iris") == (1, first)
        assert source.resolve("Iris", "v1").version.commit == first
        assert source.resolve("Iris", merge).version.commit == first


def test_a_folder_called_model_yaml_names_nothing(tmp_path: Path) -> None:
    repo = models(tmp_path)
    repo.commit_file("Iris/model.yaml/notes", "uses: [common]\n")
    repo.commit_file("common/more.py")
    with followed(repo, tmp_path / "data") as source:
        assert source.look().models["Iris"].version.number == 2


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
        assert server.asked.wait(30)
        assert source.resolve("Iris", "v1").revision is not None
        server.hold.set()
        looking.join()


def test_where_says_what_is_followed(tmp_path: Path) -> None:
    remote = Remote("https://ada:secret@example.org/models.git", branch="live", folder="a/b")
    source = GitSource(remote, tmp_path / "data")
    assert source.where == "https://example.org/models.git at live in a/b"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to another user")
def test_a_repository_that_another_user_owns_is_read(tmp_path: Path) -> None:
    repo = models(tmp_path)
    for path in [repo.path, *repo.path.rglob("*")]:
        os.chown(path, 12345, 12345, follow_symlinks=False)
    with followed(repo, tmp_path / "data") as source:
        assert source.look().models


@pytest.mark.parametrize("folder", ["..", "a/../b", "a//b", "./a", ".git", "a/.GIT"])
def test_a_folder_that_leads_elsewhere_is_refused_at_the_start(folder: str) -> None:
    with pytest.raises(SettingError, match="gitFolder"):
        Remote("/models", folder=folder)


def test_a_folder_that_trains_has_a_code_key_and_a_train_py_alone_makes_a_model(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/train.py", "1").write("Iris/data/x.csv", "1").write("Churn/etls.py")
    repo.write("Both/etls.py").write("Both/model.yaml", "train: {params: {depth: 6}}").commit()
    first = code_keys(repo, tmp_path / "data")
    assert first.keys() == {"Both", "Churn", "Iris"}
    assert first["Churn"] is None
    assert first["Both"] != first["Iris"] is not None
    repo.write("Iris/README.md").write("Iris/etls.py", "new").write("Churn/etls.py", "new").commit()
    assert code_keys(repo, tmp_path / "data") == first
    repo.commit_file("Iris/data/x.csv", "2")
    assert code_keys(repo, tmp_path / "data")["Iris"] != first["Iris"]


def code_keys(repo: Repo, data: Path) -> dict[str, str | None]:
    source = GitSource(Remote(str(repo)), data)
    try:
        revisions = [one.revision for one in source.look().models.values()]
        return {one.model: one.code_key for one in revisions if one is not None}
    finally:
        source.close()
