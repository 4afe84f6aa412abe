"""What a release shares with the one before it, and keeps of it when that goes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from loader.releases.store import ReleaseStore
from tests.githttp import git_server
from tests.loader.files.checking_out import files, following, put, release_of
from tests.repos import Repo


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
