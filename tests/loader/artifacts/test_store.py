from __future__ import annotations

import gzip
import os
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.errors import ArtifactDamaged, ArtifactGone, ArtifactRefused, StoreUnavailable
from loader.artifacts.files.files import Files
from loader.artifacts.files.place import open_files
from loader.artifacts.folder import Bounds
from loader.artifacts.store import ArtifactStore

CONTENT = {"model.onnx": b"\0\1" * 3_000_000, "tables/a.csv.gz": gzip.compress(b"a,b\n"), "empty": b""}


def folder(at: Path, content: Mapping[str, bytes] = CONTENT) -> Path:
    for name, data in content.items():
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_bytes(data)
    return at


def held(at: Path) -> dict[str, bytes]:
    return {str(path.relative_to(at)): path.read_bytes() for path in at.rglob("*") if path.is_file()}


def test_what_was_put_is_fetched(files: Files, tmp_path: Path) -> None:
    store = ArtifactStore(files)
    id = store.put(folder(tmp_path / "out"))
    manifest = store.fetch(id, tmp_path / "into")
    assert held(tmp_path / "into") == CONTENT
    assert (manifest.id, store.has(id), store.size(id)) == (id, True, sum(map(len, CONTENT.values())))
    [listed] = store.list()
    assert listed.name == id
    assert listed.size > len(id)  # its manifest's
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "into").rglob("*") if path.is_file()} == {0o444}


def test_the_same_content_is_the_same_artifact_and_other_content_another(files: Files, tmp_path: Path) -> None:
    store = ArtifactStore(files)
    one = store.put(folder(tmp_path / "one"))
    assert store.put(folder(tmp_path / "two")) == one
    assert store.put(folder(tmp_path / "three", {**CONTENT, "empty": b"no"})) != one
    assert store.put(folder(tmp_path / "four", {"renamed": b"", **CONTENT})) != one
    assert len(store.list()) == 3


def test_a_link_inside_the_folder_stands_for_what_it_leads_to(files: Files, tmp_path: Path) -> None:
    out = folder(tmp_path / "out", {"epochs/3/weights": b"w"})
    (out / "last").symlink_to("epochs/3")
    (out / "best").symlink_to("last/weights")
    id = ArtifactStore(files).put(out)
    ArtifactStore(files).fetch(id, tmp_path / "into")
    assert held(tmp_path / "into") == {"epochs/3/weights": b"w", "last/weights": b"w", "best": b"w"}


@pytest.mark.parametrize("target", ["../secret", "/etc/passwd", "gone", ".", "sub/.."])
def test_a_link_that_leaves_leads_nowhere_or_goes_round_is_refused_by_name(tmp_path: Path, target: str) -> None:
    (tmp_path / "secret").write_text("s")
    out = folder(tmp_path / "out", {"sub/file": b""})
    (out / "odd").symlink_to(target)
    with pytest.raises(ArtifactRefused, match="odd is a link to"):
        ArtifactStore(open_files("", tmp_path)).put(out)


def test_what_is_no_file_is_refused_by_name(tmp_path: Path) -> None:
    store = ArtifactStore(open_files("", tmp_path))
    out = folder(tmp_path / "out")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(out / "listener"))
        with pytest.raises(ArtifactRefused, match="listener is a socket"):
            store.put(out)
    (out / "listener").unlink()
    os.mkfifo(out / "queue")
    with pytest.raises(ArtifactRefused, match="queue is a pipe"):
        store.put(out)
    assert store.list() == []


def test_a_folder_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactRefused, match="the output folder can't be read"):
        ArtifactStore(open_files("", tmp_path)).put(tmp_path / "gone")


@pytest.mark.parametrize("name", ["a\nb", "a\\b", "a" * 250 + "/" + "b" * 250 + "/" + "c" * 250 + "/" + "d" * 60])
def test_a_name_that_not_every_store_takes_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArtifactRefused, match="not every store takes"):
        ArtifactStore(open_files("", tmp_path)).put(folder(tmp_path / "out", {name: b""}))


def test_too_much_is_refused(tmp_path: Path) -> None:
    out = folder(tmp_path / "out", {"a": b"12345", "b": b"6", "c/d": b""})
    files = open_files("", tmp_path)
    ArtifactStore(files, Bounds(files=4, bytes=6)).put(out)
    with pytest.raises(ArtifactRefused, match="more than 3 files and folders"):
        ArtifactStore(files, Bounds(files=3)).put(out)
    with pytest.raises(ArtifactRefused, match="MAX_ARTIFACT_GB"):
        ArtifactStore(files, Bounds(bytes=5)).put(out)
    with pytest.raises(ArtifactRefused, match=r"holds more than 0\.05 GB"):
        ArtifactStore(files, Bounds(bytes=50_000_000)).put(folder(tmp_path / "large", {"m": bytes(50_000_001)}))


def test_what_is_too_much_by_its_size_is_refused_before_a_terabyte_is_read(tmp_path: Path) -> None:
    out = folder(tmp_path / "out", {"a": b""})
    os.truncate(out / "a", 2**40 + 1)
    with pytest.raises(ArtifactRefused, match=r"\(at a\)"):
        ArtifactStore(open_files("", tmp_path), Bounds(bytes=2**40)).put(out)


def test_folders_deep_inside_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactRefused, match="folders deep"):
        ArtifactStore(open_files("", tmp_path), Bounds(depth=3)).put(folder(tmp_path / "out", {"1/2/3/4/f": b""}))


def test_a_damaged_file_is_found_and_nothing_is_left_where_it_was_fetched_to(files: Files, tmp_path: Path) -> None:
    store = ArtifactStore(files)
    id = store.put(folder(tmp_path / "out"))
    files.write(f"artifacts/{id}/files/tables/a.csv.gz", b"x" * len(CONTENT["tables/a.csv.gz"]))
    with pytest.raises(ArtifactDamaged, match=r"tables/a\.csv\.gz of artifact .* is not what was stored"):
        store.fetch(id, tmp_path / "into")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "data") == ["out"]


def test_a_changed_manifest_is_found(files: Files, tmp_path: Path) -> None:
    store = ArtifactStore(files)
    one, two = store.put(folder(tmp_path / "one")), store.put(folder(tmp_path / "two", {"a": b""}))
    files.write(f"artifacts/{one}/manifest.json", files.read(f"artifacts/{two}/manifest.json"))
    with pytest.raises(ArtifactDamaged, match="not the one that was written"):
        store.fetch(one, tmp_path / "into")
    files.write(f"artifacts/{one}/manifest.json", b"{")
    with pytest.raises(ArtifactDamaged, match="can't be read"):
        store.size(one)


def test_an_artifact_that_lost_a_file_is_whole_again_once_it_is_put_again(files: Files, tmp_path: Path) -> None:
    store = ArtifactStore(files)
    id = store.put(folder(tmp_path / "out"))
    files.write(f"artifacts/{id}/files/empty", b"not empty")
    assert store.put(tmp_path / "out") == id
    store.fetch(id, tmp_path / "into")
    assert held(tmp_path / "into") == CONTENT


@pytest.mark.parametrize("id", ["0" * 32, "../../etc", "", "x" * 32])
def test_what_is_not_there_is_gone(files: Files, tmp_path: Path, id: str) -> None:
    store = ArtifactStore(files)
    assert not store.has(id)
    store.delete(id)
    with pytest.raises(ArtifactGone):
        store.fetch(id, tmp_path / "into")


def test_what_is_deleted_is_gone_and_the_others_stay(files: Files, tmp_path: Path) -> None:
    store = ArtifactStore(files)
    one, two = store.put(folder(tmp_path / "one")), store.put(folder(tmp_path / "two", {"a": b""}))
    store.delete(one)
    with pytest.raises(ArtifactGone, match="train the model again"):
        store.size(one)
    assert [artifact.name for artifact in store.list()] == [two]


def test_a_fetch_links_to_an_earlier_one_but_not_to_what_changed_there(files: Files, tmp_path: Path) -> None:
    store = ArtifactStore(files, shares=False)
    id = store.put(folder(tmp_path / "out"))
    store.fetch(id, tmp_path / "earlier")
    changed = tmp_path / "earlier" / "empty"
    changed.chmod(0o644)
    changed.write_bytes(b"changed")
    store.fetch(id, tmp_path / "into", beside=[tmp_path / "absent", tmp_path / "earlier"])
    assert held(tmp_path / "into") == CONTENT
    same = {name for name in CONTENT if os.path.samefile(tmp_path / "into" / name, tmp_path / "earlier" / name)}
    assert same == CONTENT.keys() - {"empty"}


def test_files_of_a_store_on_the_same_disk_are_linked_where_that_is_safe(tmp_path: Path) -> None:
    files = open_files("", tmp_path)
    id = ArtifactStore(files).put(folder(tmp_path / "out"))
    for shares, links in ((True, 2), (False, 1)):
        ArtifactStore(files, shares=shares).fetch(id, tmp_path / f"into-{shares}")
        assert (tmp_path / f"into-{shares}" / "model.onnx").stat().st_nlink == links


def test_a_fetch_into_a_folder_that_holds_something_changes_nothing_there(tmp_path: Path) -> None:
    store = ArtifactStore(open_files("", tmp_path))
    id = store.put(folder(tmp_path / "out"))
    with pytest.raises(StoreUnavailable, match="could not be laid into"):
        store.fetch(id, folder(tmp_path / "into", {"mine": b"m"}))
    assert held(tmp_path / "into") == {"mine": b"m"}
