"""From a release to its files in the store: what is refused, what is shared, and what a crash leaves."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from core.errors import Heals, ReleaseFailed
from core.manifest.manifest import Manifest
from core.release import Release, Revision
from loader.files.tree import Bounds
from loader.releases.store import ReleaseStore
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.githttp import git_server, pointer
from tests.repos import Repo


@contextmanager
def following(repo: Repo | str, data: Path, bounds: Bounds | None = None) -> Iterator[GitSource]:
    source = GitSource(Remote(str(repo)), data, bounds or Bounds())
    try:
        yield source
    finally:
        source.close()


def release_of(source: GitSource, model: str = "Iris") -> Release:
    wanted = source.look().models[model]
    assert wanted.revision is not None, wanted.failure
    return Release(wanted.revision)


def put(repo: Repo | str, tmp_path: Path, bounds: Bounds | None = None) -> Path:
    with following(repo, tmp_path / "data", bounds) as source:
        return ReleaseStore(tmp_path / "data/releases").put(release_of(source), source)


def files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name != ".files.json"
    }


def test_a_release_holds_its_folders_side_by_side_and_the_default_requirements(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    content = os.urandom(3_000_000)
    repo.write("live/Iris/etls.py", "import common").write("live/Iris/net/x.onnx", content)
    repo.write("live/Iris/model.yaml", "uses: [common]").write("live/common/x.py", "1").write("live/Other/etls.py")
    repo.write("requirements.txt", "numpy").commit()
    source = GitSource(Remote(str(repo), folder="live"), tmp_path / "data")
    path = ReleaseStore(tmp_path / "data/releases").put(release_of(source), source)
    source.close()
    assert files(path) == {
        "Iris/etls.py": b"import common",
        "Iris/net/x.onnx": content,
        "Iris/model.yaml": b"uses: [common]",
        "common/x.py": b"1",
        "requirements.txt": b"numpy",
    }


def test_a_release_is_read_only_and_its_programs_stay_programs(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/etls.py").write("Iris/bin/run", executable=True).commit()
    path = put(repo, tmp_path)
    modes = {str(one.relative_to(path)): stat.S_IMODE(one.stat().st_mode) for one in [path, *path.rglob("*")]}
    assert modes == {
        ".": 0o555,
        ".files.json": 0o444,
        "Iris": 0o555,
        "Iris/etls.py": 0o444,
        "Iris/bin": 0o555,
        "Iris/bin/run": 0o555,
    }


def test_files_that_did_not_change_are_shared_with_the_release_before(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/etls.py", "1").write("Iris/big.onnx", "big").commit()
    first = put(repo, tmp_path)
    repo.commit_file("Iris/etls.py", "2")
    second = put(repo, tmp_path)
    assert first != second
    assert (first / "Iris/big.onnx").samefile(second / "Iris/big.onnx")
    assert (first / "Iris/etls.py").read_text() == "1"
    assert (second / "Iris/etls.py").read_text() == "2"


def test_a_file_that_was_tampered_with_is_not_shared(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/etls.py", "1").write("Iris/big.onnx", "big").write("Iris/open.onnx", "open").commit()
    first = put(repo, tmp_path)
    (first / "Iris/big.onnx").chmod(0o644)
    (first / "Iris/big.onnx").write_text("bigger")
    (first / "Iris/big.onnx").chmod(0o444)
    (first / "Iris/open.onnx").chmod(0o644)
    repo.commit_file("Iris/etls.py", "2")
    second = put(repo, tmp_path)
    assert (second / "Iris/big.onnx").read_text() == "big"
    assert not (first / "Iris/open.onnx").samefile(second / "Iris/open.onnx")


def change(path: Path) -> None:
    """As whoever may write to read-only files can, unnoticed by size and mode."""
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(b"?" * len(content))
    path.chmod(0o444)


def test_a_file_that_holds_something_else_of_the_same_size_is_not_shared(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/etls.py", "1").write("Iris/big.onnx", "big").commit()
    change(put(repo, tmp_path) / "Iris/big.onnx")
    repo.commit_file("Iris/etls.py", "2")
    second = put(repo, tmp_path)
    assert (second / "Iris/big.onnx").read_text() == "big"
    repo.commit_file("Iris/etls.py", "3")
    assert (put(repo, tmp_path) / "Iris/big.onnx").samefile(second / "Iris/big.onnx")


def test_a_large_file_that_holds_something_else_is_fetched_again(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "work")
    with git_server(tmp_path / "served", "ada", "s3cret") as server:
        big = os.urandom(100_000)
        repo.write("Iris/etls.py").write("Iris/big.onnx", server.hold_large(big)).commit()
        repo.bare(tmp_path / "served/models.git")
        change(put(server.url("models.git", "ada:s3cret@"), tmp_path) / "Iris/big.onnx")
        repo.commit_file("Iris/etls.py", "2")
        repo.push(tmp_path / "served/models.git")
        second = put(server.url("models.git", "ada:s3cret@"), tmp_path)
    assert (second / "Iris/big.onnx").read_bytes() == big


def test_a_mode_that_changes_is_a_change(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/etls.py").write("Iris/run").commit()
    first = put(repo, tmp_path)
    repo.write("Iris/run", executable=True).commit()
    second = put(repo, tmp_path)
    assert first != second
    assert stat.S_IMODE((second / "Iris/run").stat().st_mode) == 0o555


@pytest.mark.parametrize(
    ("link", "target"),
    [("x", "etls.py"), ("a/x", "../etls.py"), ("a/b/x", "../../a"), ("x", "nowhere"), ("x", "./a//b")],
)
def test_a_link_within_the_folder_is_kept(tmp_path: Path, link: str, target: str) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/etls.py").link(f"Iris/{link}", target).commit()
    path = put(repo, tmp_path)
    assert os.readlink(path / "Iris" / link) == target


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("x", "/etc/passwd"),
        ("x", ".."),
        ("x", "../common/x.py"),
        ("x", "../Iris/etls.py"),
        ("a/x", "../../x"),
        ("a/x", "../../../../../../etc/passwd"),
        ("x", "a/../.."),
        ("x", "up/../.."),
        ("x", "line\nbreak"),
        ("x", "a" * 2000),
    ],
)
def test_a_link_that_leaves_the_folder_is_refused_before_anything_is_written(
    tmp_path: Path, link: str, target: str
) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/etls.py").write("common/x.py").link(f"Iris/{link}", target).commit()
    with pytest.raises(ReleaseFailed, match=f"Iris/{link} is a symbolic link") as caught:
        put(repo, tmp_path)
    assert caught.value.stage == "checkout"
    assert not caught.value.heals
    assert files(tmp_path / "data/releases") == {}


@pytest.mark.parametrize(
    "name",
    [b".git", b".GIT", b".git ", b"GIT~1", b"..", b".", b"a\nb", b"a\x01b", b"a\x7fb", b"a\\b", b"\xff.py", b"n" * 256],
)
@pytest.mark.parametrize("is_folder", [False, True])
def test_an_odd_name_is_refused(tmp_path: Path, name: bytes, is_folder: bool) -> None:
    repo = Repo(tmp_path / "models")
    blob = repo.blob("x")
    odd = ("40000", name, repo.raw_tree(("100644", b"x", blob))) if is_folder else ("100644", name, blob)
    iris = repo.raw_tree(odd, ("100644", b"etls.py", blob))
    repo.commit_tree(repo.raw_tree(("40000", b"Iris", iris)))
    with pytest.raises(ReleaseFailed, match="Iris/"):
        put(repo, tmp_path)


def test_a_name_with_a_slash_is_refused(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    blob = repo.blob("x")
    iris = repo.raw_tree(("100644", b"../../../x", blob), ("100644", b"etls.py", blob))
    repo.commit_tree(repo.raw_tree(("40000", b"Iris", iris)))
    with pytest.raises(ReleaseFailed, match="odd name"):
        put(repo, tmp_path)


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    blob = repo.blob("x")
    below = repo.raw_tree(("100644", b"x", blob))
    iris = repo.raw_tree(("120000", b"a", repo.blob("b")), ("40000", b"a", below), ("100644", b"etls.py", blob))
    repo.commit_tree(repo.raw_tree(("40000", b"Iris", iris)))
    with pytest.raises(ReleaseFailed, match="Iris/a is there twice"):
        put(repo, tmp_path)


def test_a_submodule_inside_is_refused(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    iris = repo.raw_tree(("100644", b"etls.py", repo.blob("x")), ("160000", b"sub", "1" * 40))
    repo.commit_tree(repo.raw_tree(("40000", b"Iris", iris)))
    with pytest.raises(ReleaseFailed, match="Iris/sub is a submodule"):
        put(repo, tmp_path)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [(Bounds(files=3), "more than 3 files"), (Bounds(bytes=10), "MB"), (Bounds(depth=2), "too deep")],
)
def test_a_release_that_is_too_much_is_refused(tmp_path: Path, bounds: Bounds, message: str) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/etls.py", "x" * 6).write("Iris/a/b/c", "y" * 6).commit()
    with pytest.raises(ReleaseFailed, match=message):
        put(repo, tmp_path, bounds)


def test_a_tree_that_unfolds_without_end_is_refused_soon(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    blob = repo.blob("x")
    tree = repo.raw_tree(("100644", b"x", blob))
    for _ in range(30):
        tree = repo.raw_tree(*(("40000", f"{number:02}".encode(), tree) for number in range(30)))
    iris = repo.raw_tree(("40000", b"a", tree), ("100644", b"etls.py", blob))
    repo.commit_tree(repo.raw_tree(("40000", b"Iris", iris)))
    with pytest.raises(ReleaseFailed, match="more than 2,000 files"):
        put(repo, tmp_path, Bounds(files=2000))


def test_a_release_that_is_there_is_not_checked_out_again(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.commit_file("Iris/etls.py", "1")
    with following(repo, tmp_path / "data") as source:
        release_store = ReleaseStore(tmp_path / "data/releases")
        release = release_of(source)
        assert not release_store.path(release).exists()
        path = release_store.put(release, source)
        before = path.stat().st_ino
        assert release_store.put(release, source).stat().st_ino == before
        assert path == release_store.path(release)


def test_two_threads_may_put_the_same_release(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.commit_file("Iris/etls.py", "1")
    with following(repo, tmp_path / "data") as source:
        release_store = ReleaseStore(tmp_path / "data/releases")
        release = release_of(source)
        threads = [threading.Thread(target=release_store.put, args=(release, source)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert files(release_store.path(release)) == {"Iris/etls.py": b"1"}
        assert os.listdir(release_store.path(release).parent) == [release.id]


class Failing:
    """A source that fails midway."""

    def __init__(self, number: int) -> None:
        self._number = number

    def check_out(self, revision: Revision, into: Path) -> None:
        (into / "Iris").mkdir()
        (into / "Iris/etls.py").write_text("half")
        raise OSError(self._number, os.strerror(self._number))


class Waiting:
    """A source that stops midway."""

    def __init__(self, report: Connection) -> None:
        self._report = report

    def check_out(self, revision: Revision, into: Path) -> None:
        (into / "Iris").mkdir()
        (into / "Iris/etls.py").write_text("half")
        (into / "Iris").chmod(0o555)
        self._report.send("half")
        signal.pause()


RELEASE = Release(Revision("Iris", "abc", Manifest(), {"Iris": "t"}))


@pytest.mark.parametrize(
    ("number", "heals"),
    [
        (errno.ENOSPC, Heals.WITH_MACHINE),
        (errno.EDQUOT, Heals.WITH_MACHINE),
        (errno.EIO, Heals.WITH_MACHINE),
        (errno.EROFS, Heals.WITH_MACHINE),
        (errno.EMFILE, Heals.WITH_MACHINE),
        (errno.ENAMETOOLONG, Heals.NEVER),
        (errno.EILSEQ, Heals.NEVER),
    ],
)
def test_a_checkout_that_fails_leaves_nothing_and_says_whether_it_may_heal(
    tmp_path: Path, number: int, heals: Heals
) -> None:
    release_store = ReleaseStore(tmp_path / "releases")
    with pytest.raises(
        ReleaseFailed, match=f"DATA_DIR.*{os.strerror(number)}|{os.strerror(number)}.*DATA_DIR"
    ) as caught:
        release_store.put(RELEASE, Failing(number))  # type: ignore[arg-type]
    assert caught.value.heals == heals
    assert not release_store.path(RELEASE).exists()
    assert os.listdir(tmp_path / "releases/Iris") == []


def test_a_checkout_that_is_killed_leaves_no_release_and_no_rubbish_after_the_next_start(tmp_path: Path) -> None:
    reached, report = multiprocessing.Pipe(duplex=False)
    release_store = ReleaseStore(tmp_path / "releases")
    child = multiprocessing.get_context("spawn").Process(target=release_store.put, args=(RELEASE, Waiting(report)))
    child.start()
    assert reached.recv()
    child.kill()
    child.join()
    assert not release_store.path(RELEASE).exists()
    assert len(os.listdir(tmp_path / "releases/Iris")) == 1
    ReleaseStore(tmp_path / "releases")
    assert os.listdir(tmp_path / "releases/Iris") == []


def test_pruning_keeps_what_it_is_told_to_and_what_the_others_share(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/big.onnx", "big").write("Other/etls.py").commit()
    release_store = ReleaseStore(tmp_path / "data/releases")
    paths = []
    with following(repo, tmp_path / "data") as source:
        for content in "123":
            repo.commit_file("Iris/etls.py", content)
            paths.append(release_store.put(release_of(source), source))
        other = release_store.put(release_of(source, "Other"), source)
    release_store.prune("Iris", {paths[1].name})
    assert [path.exists() for path in paths] == [False, True, False]
    assert files(paths[1]) == {"Iris/etls.py": b"2", "Iris/big.onnx": b"big"}
    assert stat.S_IMODE((paths[1] / "Iris/big.onnx").stat().st_mode) == 0o444
    release_store.prune_models({"Other"})
    assert os.listdir(tmp_path / "data/releases") == ["Other"]
    assert other.exists()
    release_store.prune("Gone", set())


@pytest.mark.parametrize("name", ["..", "", "a/b", ".tmp-x"])
def test_a_name_that_is_no_folder_reaches_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError):
        ReleaseStore(tmp_path / "releases").path(Release(Revision(name, "abc", Manifest(), {})))


def test_large_files_come_from_the_server(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "work")
    with git_server(tmp_path / "served", "ada", "s3cret") as server:
        big = os.urandom(2_500_000)
        repo.write("Iris/etls.py").write("Iris/big.onnx", server.hold_large(big)).commit()
        repo.bare(tmp_path / "served/models.git")
        first = put(server.url("models.git", "ada:s3cret@"), tmp_path)
        assert (first / "Iris/big.onnx").read_bytes() == big
        repo.commit_file("Iris/etls.py", "2")
        repo.push(tmp_path / "served/models.git")
        server.large.clear()
        second = put(server.url("models.git", "ada:s3cret@"), tmp_path)
    assert (second / "Iris/big.onnx").samefile(first / "Iris/big.onnx")


def test_a_large_file_that_the_server_lacks_fails_by_name_and_may_heal(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "work")
    repo.write("Iris/etls.py").write("Iris/big.onnx", pointer(b"big")).commit()
    repo.bare(tmp_path / "served/models.git")
    with git_server(tmp_path / "served") as server:
        with pytest.raises(ReleaseFailed, match=r"Iris/big.onnx is not in Git LFS.*Object does not exist") as caught:
            put(server.url("models.git"), tmp_path)
        assert caught.value.heals
        server.hold_large(b"big")
        assert (put(server.url("models.git"), tmp_path) / "Iris/big.onnx").read_bytes() == b"big"


@pytest.mark.parametrize("content", [b"bug", b"bigger", b"b"])
def test_a_large_file_with_another_content_is_refused(tmp_path: Path, content: bytes) -> None:
    repo = Repo(tmp_path / "work")
    repo.write("Iris/etls.py").write("Iris/big.onnx", pointer(b"big")).commit()
    repo.bare(tmp_path / "served/models.git")
    with git_server(tmp_path / "served") as server:
        oid = pointer(b"big").partition("sha256:")[2].split()[0]
        server.large[oid] = content
        with pytest.raises(ReleaseFailed, match=r"Iris/big.onnx came from Git LFS with another content") as caught:
            put(server.url("models.git"), tmp_path)
    assert caught.value.heals
    assert not [path for path in (tmp_path / "data/mirror.git/lfs").rglob("*") if path.is_file()]


def test_the_login_does_not_go_to_another_host_with_the_large_files(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "work")
    with git_server(tmp_path / "served") as other, git_server(tmp_path / "served", "ada", "s3cret") as server:
        repo.write("Iris/etls.py").write("Iris/big.onnx", server.hold_large(b"big")).commit()
        repo.bare(tmp_path / "served/models.git")
        other.large = server.large
        server.large_at = other.origin.replace("127.0.0.1", "localhost")
        path = put(server.url("models.git", "ada:s3cret@"), tmp_path)
    assert (path / "Iris/big.onnx").read_bytes() == b"big"
    assert [login for _, login in other.logins] == [""]


@pytest.mark.parametrize("is_bare", [True, False])
def test_large_files_of_a_repository_on_this_machine_are_read_there(tmp_path: Path, is_bare: bool) -> None:
    repo = Repo(tmp_path / "work")
    repo.write("Iris/etls.py").write("Iris/big.onnx", pointer(b"big"), executable=True).commit()
    remote = repo.bare(tmp_path / "models.git") if is_bare else repo.path
    with pytest.raises(ReleaseFailed, match=r"Iris/big.onnx is in Git LFS.*git lfs fetch") as caught:
        put(str(remote), tmp_path)
    assert caught.value.heals
    oid = pointer(b"big").partition("sha256:")[2].split()[0]
    place = remote / ("" if is_bare else ".git") / "lfs/objects" / oid[:2] / oid[2:4] / oid
    place.parent.mkdir(parents=True)
    place.write_bytes(b"big")
    path = put(str(remote), tmp_path)
    assert (path / "Iris/big.onnx").read_bytes() == b"big"
    assert stat.S_IMODE((path / "Iris/big.onnx").stat().st_mode) == 0o555


def test_a_pointer_counts_with_the_size_of_its_file(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "work")
    repo.write("Iris/etls.py").write("Iris/big.onnx", pointer(b"big" * 1000)).commit()
    with pytest.raises(ReleaseFailed, match="MB"):
        put(repo, tmp_path, Bounds(bytes=2000))
