"""Large files from a server of Git LFS: what ends, where it is asked, and what it is shown."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors import Heals, ReleaseFailed
from core.release import Release
from loader.releases.store import ReleaseStore
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.githttp import GitServer, git_server
from tests.repos import Repo

BIG = b"big" * 1000


class Large:
    """A repository whose model has a large file, behind a server."""

    def __init__(self, tmp_path: Path, server: GitServer) -> None:
        self.data = tmp_path / "data"
        self.server = server
        self.repo = Repo(tmp_path / "work")
        self.repo.write("Iris/etls.py").write("Iris/big.onnx", server.hold_large(BIG)).commit()
        self.served = self.repo.bare(tmp_path / "served/models.git")

    def push(self, path: str, content: str) -> None:
        self.repo.commit_file(path, content)
        self.repo.push(self.served)

    @contextmanager
    def source(self, url: str = "", **settings: object) -> Iterator[GitSource]:
        source = GitSource(Remote(url or self.server.url("models.git"), **settings), self.data)  # type: ignore[arg-type]
        try:
            yield source
        finally:
            source.close()

    def release(self, source: GitSource) -> Release:
        revision = source.look().models["Iris"].revision
        assert revision is not None
        return Release(revision)

    def put(self, source: GitSource) -> bytes:
        """What the file holds in the release."""
        return (ReleaseStore(self.data / "releases").put(self.release(source), source) / "Iris/big.onnx").read_bytes()

    def get(self, url: str = "", **settings: object) -> bytes:
        with self.source(url, **settings) as source:
            return self.put(source)

    def fail(self, url: str = "", **settings: object) -> ReleaseFailed:
        with pytest.raises(ReleaseFailed) as caught:
            self.get(url, **settings)
        return caught.value


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Large]:
    with git_server(tmp_path / "served") as server:
        yield Large(tmp_path, server)


@pytest.mark.parametrize("drip_at", ["/info/lfs/", "/large/"])
def test_a_server_that_drips_costs_no_longer_than_a_fetch_may_take(large: Large, drip_at: str) -> None:
    large.server.drip_at = drip_at
    with large.source() as source:
        release = large.release(source)
    with large.source(fetch_timeout_s=1.0) as source, pytest.raises(ReleaseFailed) as caught:
        ReleaseStore(large.data / "releases").put(release, source)
    failure = caught.value
    assert str(failure) == "Iris/big.onnx takes too long to come from Git LFS; raise FETCH_TIMEOUT_S"
    assert failure.heals == Heals.WITH_MACHINE


@pytest.mark.parametrize("drip_at", ["/info/lfs/", "/large/"])
def test_the_end_of_the_source_ends_a_download(large: Large, drip_at: str) -> None:
    large.server.drip_at = drip_at
    with large.source() as source, ThreadPoolExecutor(1) as thread:
        put = thread.submit(large.put, source)
        assert large.server.dripping.wait(60)
        source.close()
        with pytest.raises(ReleaseFailed, match=r"Iris/big\.onnx was not fetched from Git LFS before the stop"):
            put.result(60)


def test_an_answer_that_does_not_fit_is_refused(large: Large) -> None:
    large.server.lfs_answer = b" " * 5_000_000 + b'{"objects": []}'
    failure = large.fail()
    assert "(the server's answer is longer than 4,194,304 bytes)" in str(failure)
    assert failure.heals == Heals.WITH_MACHINE


@pytest.mark.parametrize(
    "answer",
    [b"", b"no", b"[]", b"{}", b'{"objects": {}}', b'{"objects": [1]}', b"[" * 1_000_000, b'{"objects": [{}]}'],
    ids=range(8),
)
def test_an_answer_that_is_none_of_the_protocol_fails_the_release_alone(large: Large, answer: bytes) -> None:
    large.server.lfs_answer = answer
    assert "could not be fetched from Git LFS" in str(large.fail())


@pytest.mark.parametrize("href", ["ftp://127.0.0.1/x", "file:///etc/passwd", "", "//", "http://[", "http://"])
def test_an_odd_place_for_a_download_fails_the_release_alone(large: Large, href: str) -> None:
    oid = next(iter(large.server.large))
    action = {"oid": oid, "actions": {"download": {"href": href}}}
    large.server.lfs_answer = json.dumps({"objects": [action]}).encode()
    assert str(large.fail()).startswith("Iris/big.onnx ")


OID = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    "content",
    [
        "version https://git-lfs.github.com/spec/v1\n",
        f"version https://git-lfs.github.com/spec/v1\noid {OID}\n",
        f"version https://git-lfs.github.com/spec/v1\nsize 3\noid {OID}\n",
        f"version https://git-lfs.github.com/spec/v1\noid {OID}\nsize -3\n",
        f"version https://git-lfs.github.com/spec/v1\noid {OID[:-1]}\nsize 3\n",
        f"version https://git-lfs.github.com/spec/v1\noid {OID.upper()}\nsize 3\n",
        f"version https://git-lfs.github.com/spec/v1\noid md5:{'a' * 32}\nsize 3\n",
        f"version https://git-lfs.github.com/spec/v1\noid {OID}\nsize 3\nmore\n",
        f"version https://git-lfs.github.com/spec/v2\noid {OID}\nsize 3\n",
        f"version http://git-media.io/v/2\noid {OID}\nsize 3\n",
        f"\n version https://git-lfs.github.com/spec/v1\noid {OID}\nsize 3\n",
        f"\ufeffversion https://git-lfs.github.com/spec/v1\noid {OID}\nsize 3\n",
        f"version https://git-lfs.github.com/spec/v1\n<<<<<<< HEAD\noid {OID}\n=======\noid {OID}\n>>>>>>> x\nsize 3\n",
    ],
)
def test_a_pointer_that_can_not_be_read_fails_the_release_and_is_not_served_as_text(large: Large, content: str) -> None:
    large.push("Iris/big.onnx", content)
    failure = large.fail()
    assert str(failure).startswith("Iris/big.onnx begins as a pointer of Git LFS and is none that can be read")
    assert failure.heals == Heals.NEVER
    assert not [*(large.data / "releases").rglob("big.onnx")]


@pytest.mark.parametrize(("old", "new"), [("\n", "\r\n"), ("1000\n", "1000"), ("\nsize", "\nsize")])
def test_a_pointer_that_an_editor_changed_is_read_as_git_lfs_reads_it(large: Large, old: str, new: str) -> None:
    large.push("Iris/big.onnx", large.server.hold_large(BIG).replace(old, new))
    assert large.get() == BIG


def test_what_merely_speaks_of_git_lfs_is_a_file_like_any_other(large: Large) -> None:
    for content in ("version 1\n", "see version https://git-lfs.github.com/spec/v1\n", ""):
        large.push("Iris/big.onnx", content)
        assert large.get() == content.encode()


def test_large_files_that_nothing_links_to_go_unless_they_are_young(large: Large) -> None:
    long_ago = time.time() - 7200
    release_store = ReleaseStore(large.data / "releases")

    def stored() -> dict[bytes, Path]:
        files = (large.data / "mirror.git/lfs/objects").glob("*/*/*")
        return {path.read_bytes(): path for path in files}

    def push(content: bytes) -> None:
        large.push("Iris/big.onnx", large.server.hold_large(content))
        assert large.get() == content
        os.utime(stored()[content], (long_ago, long_ago))

    large.get()
    push(b"old and linked")
    push(b"old")
    push(b"young")
    for release in release_store.newest("Iris", 9):
        root = large.data / "releases/Iris" / release
        if (root / "Iris/big.onnx").read_bytes() != b"old and linked":
            release_store.prune("Iris", {*release_store.newest("Iris", 9)} - {release})
    os.utime(stored()[b"young"])
    assert stored().keys() >= {b"old", b"young", b"old and linked"}
    push(b"new")
    assert stored().keys() == {b"young", b"old and linked", b"new", BIG}


@pytest.mark.skipif(os.getuid() == 0, reason="NOT TESTED: what a user may not read, as root")
def test_large_files_that_may_not_be_read_here_are_tried_again(large: Large) -> None:
    (large.repo.path / ".git/lfs").mkdir(mode=0o000)
    failure = large.fail(str(large.repo))
    assert "is in Git LFS and can't be read in" in str(failure)
    assert failure.heals == Heals.WITH_MACHINE
