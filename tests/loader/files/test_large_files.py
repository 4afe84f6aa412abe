"""Files that a repository holds as Git LFS pointers, in a release."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from core.errors import ReleaseFailed
from loader.files.tree import Bounds
from tests.githttp import git_server, pointer
from tests.loader.files.checking_out import put
from tests.repos import Repo


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
