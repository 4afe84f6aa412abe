"""Models from a local folder: taken when saved, never half saved."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from core.errors import ReleaseFailed, SourceError, VersionNotFound
from core.release import Release, Revision
from loader.files.model_folders import MOST_MANIFEST_BYTES
from loader.files.tree import DEFAULT_BOUNDS
from loader.releases.live_file import LiveFile
from loader.releases.store import ReleaseStore
from loader.sources.local.source import MOST_SEEN, LocalSource
from loader.sources.local.tree import scan
from tests.githttp import pointer
from tests.loader.sources.local.folders import following, models, release, write
from tests.waiting import wait_for


def test_the_folders_that_are_models_are_wanted_and_shared_ones_belong_to_them(tmp_path: Path) -> None:
    folder = models(tmp_path)
    write(folder / "all/etls.py", "")
    with following(folder) as source:
        desired = source.look()
        assert set(desired.models) == {"Iris", "Churn"}
        assert set(desired.left_out) == {"all"}
        assert set(release(desired, "Churn").revision.folders) == {"Churn", "common"}
        write(folder / "common/x.py", "2")
        after = source.look()
        assert release(after, "Churn") != release(desired, "Churn")
        assert release(after) == release(desired)
        assert after.head != desired.head


@pytest.mark.parametrize("name", ["model.yaml", "etls.py", "requirements.txt", "data.csv"])
def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path, name: str) -> None:
    folder = models(tmp_path)
    (folder / "Iris" / name).unlink(missing_ok=True)
    os.mkfifo(folder / "Iris" / name)
    with following(folder) as source:
        assert release(source.look(), "Churn")


def test_a_manifest_that_is_read_in_part_alone_is_not_to_be_edited(tmp_path: Path) -> None:
    folder = models(tmp_path)
    write(folder / "Iris/model.yaml", "description: it\n".ljust(MOST_MANIFEST_BYTES, "#"))
    with following(folder) as source:
        assert len(source.manifest_text("Iris").text) == MOST_MANIFEST_BYTES
        write(folder / "Iris/model.yaml", "description: it\n".ljust(MOST_MANIFEST_BYTES + 1, "#"))
        with pytest.raises(SourceError, match="too many to be edited"):
            source.manifest_text("Iris")


def test_one_folder_alone_may_be_looked_at(tmp_path: Path) -> None:
    folder = models(tmp_path)
    source = LocalSource(folder, {}, only="Churn")
    assert set(source.look().models) == {"Churn"}
    assert set(release(source.look(), "Churn").revision.folders) == {"Churn", "common"}
    source.close()


def test_versions_count_the_releases_seen_and_a_revert_is_another(tmp_path: Path) -> None:
    folder = models(tmp_path)
    with following(folder) as source:
        first = source.look().models["Iris"]
        write(folder / "Iris/etls.py", "2")
        assert source.look().models["Iris"].version.number == 2
        write(folder / "Iris/etls.py", "1")
        third = source.look().models["Iris"]
        seen = source.seen
    assert first.version.number == 1
    assert third.version.number == 3
    assert third.revision == first.revision
    assert third.version.commit == f"local-{revision_id(third.revision)}"
    with following(folder, {model: list(ids) for model, ids in seen.items()}) as source:
        assert source.look().models["Iris"].version.number == 3


def test_a_number_goes_on_after_more_releases_than_are_remembered_and_after_a_restart(tmp_path: Path) -> None:
    folder = models(tmp_path)
    live = LiveFile(tmp_path / "live.json", "here")
    known = [f"{number:020x}" for number in range(MOST_SEEN)]
    with following(folder, {"Iris": known}) as source:
        wanted = source.look().models["Iris"]
        assert wanted.version.number == MOST_SEEN + 1
        write(folder / "Iris/etls.py", "2")
        wanted = source.look().models["Iris"]
        assert wanted.version.number == MOST_SEEN + 2
        assert source.resolve("Iris", f"v{MOST_SEEN + 1}").version.number == MOST_SEEN + 1
        assert len(source.seen["Iris"]) == MOST_SEEN
        assert wanted.revision is not None
        live.put(Release(wanted.revision), wanted.version, source.seen, source.forgotten)
    again = LiveFile(tmp_path / "live.json", "here")
    restarted = LocalSource(folder, again.seen, forgotten=again.forgotten)
    assert restarted.look().models["Iris"].version == wanted.version
    write(folder / "Iris/etls.py", "3")
    assert restarted.look().models["Iris"].version.number == MOST_SEEN + 3
    restarted.close()


def revision_id(revision: Revision | None) -> str:
    assert revision is not None
    return revision.id


def test_a_file_that_is_only_touched_makes_no_release(tmp_path: Path) -> None:
    folder = models(tmp_path)
    with following(folder) as source:
        before = source.look()
        os.utime(folder / "Iris/etls.py")
        assert source.look() == before


def test_a_mode_is_part_of_the_release(tmp_path: Path) -> None:
    folder = models(tmp_path)
    with following(folder) as source:
        before = release(source.look())
        (folder / "Iris/etls.py").chmod(0o755)
        assert release(source.look()) != before


@pytest.mark.parametrize(
    "name",
    [".hidden", ".git/x", "__pycache__/x.pyc", "x.pyc", "etls.py~", "#etls.py#", ".etls.py.swp", "4913", ".#etls.py"],
)
def test_what_editors_and_python_leave_is_no_part_of_a_release(tmp_path: Path, name: str) -> None:
    folder = models(tmp_path)
    with following(folder) as source:
        before = source.look()
        write(folder / "Iris" / name, "x")
        assert source.look() == before


def test_a_model_that_somebody_has_open_for_writing_stays_what_it_was_until_closed(tmp_path: Path) -> None:
    folder = models(tmp_path)
    again = threading.Event()
    with following(folder) as source:
        before = source.look()
        source.start(again.set)
        with open(folder / "Iris/etls.py", "w") as file:
            file.write("half")
            file.flush()
            again.clear()
            assert source.look().models == before.models
            assert again.wait(100)
            file.write(" and whole")
        after = source.look()
        assert after.models["Iris"].version.number == 2
        path = ReleaseStore(tmp_path / "releases").put(release(after), source)
        assert (path / "Iris/etls.py").read_text() == "half and whole"


def test_a_long_stalled_writer_is_waited_for_too(tmp_path: Path) -> None:
    folder = models(tmp_path)
    with following(folder) as source:
        before = source.look()
        with open(folder / "Iris/etls.py", "a") as file:
            file.write("half")
            file.flush()
            wait_for(lambda: not scan(folder, "Iris", DEFAULT_BOUNDS).is_recent, "the change to be long ago")
            assert source.look().models == before.models


def test_a_model_that_is_being_written_from_the_start_is_reported(tmp_path: Path) -> None:
    folder = models(tmp_path)
    with following(folder) as source, open(folder / "Iris/etls.py", "a"):
        desired = source.look()
        assert set(desired.models) == {"Churn"}
        assert "being written" in desired.left_out["Iris"]


def test_saving_a_file_calls_for_a_look(tmp_path: Path) -> None:
    folder = models(tmp_path)
    changed = threading.Event()
    with following(folder) as source:
        source.look()
        source.start(changed.set)
        number = 0
        while not changed.wait(0.05):
            # The watch begins in a thread of its own: what is saved before that calls for nothing.
            number += 1
            assert number < 200
            write(folder / "Iris/etls.py", f"# save {number}")
        assert source.look().models["Iris"].version.number == 2


def test_a_release_is_checked_out_as_it_was_seen_with_links_and_default_requirements(tmp_path: Path) -> None:
    folder = models(tmp_path)
    write(folder / "requirements.txt", "numpy")
    write(folder / "Churn/run", "#!")
    (folder / "Churn/run").chmod(0o700)
    (folder / "Churn/link").symlink_to("etls.py")
    with following(folder) as source:
        path = ReleaseStore(tmp_path / "releases").put(release(source.look(), "Churn"), source)
    assert {str(file.relative_to(path)) for file in path.rglob("*") if not file.is_dir()} == {
        ".files.json",
        "Churn/etls.py",
        "Churn/link",
        "Churn/model.yaml",
        "Churn/run",
        "common/x.py",
        "requirements.txt",
    }
    assert os.readlink(path / "Churn/link") == "etls.py"
    assert stat.S_IMODE((path / "Churn/run").stat().st_mode) == 0o555
    assert not (path / "Churn/etls.py").samefile(folder / "Churn/etls.py")


def test_files_that_did_not_change_are_shared_with_the_release_before(tmp_path: Path) -> None:
    folder = models(tmp_path)
    write(folder / "Iris/big.onnx", "big")
    release_store = ReleaseStore(tmp_path / "releases")
    with following(folder) as source:
        first = release_store.put(release(source.look()), source)
        write(folder / "Iris/etls.py", "2")
        second = release_store.put(release(source.look()), source)
    assert (first / "Iris/big.onnx").samefile(second / "Iris/big.onnx")


@pytest.mark.parametrize("changed", ["Churn/etls.py", "common/x.py", "requirements.txt"])
def test_a_change_before_the_checkout_fails_it_and_may_heal(tmp_path: Path, changed: str) -> None:
    folder = models(tmp_path)
    write(folder / "requirements.txt", "numpy")
    release_store = ReleaseStore(tmp_path / "releases")
    with following(folder) as source:
        wanted = release(source.look(), "Churn")
        write(folder / changed, "changed")
        with pytest.raises(ReleaseFailed, match="not what it was") as caught:
            release_store.put(wanted, source)
        assert caught.value.heals
        assert not release_store.path(wanted).exists()
        release_store.put(release(source.look(), "Churn"), source)


def test_a_pointer_in_place_of_a_large_file_fails_its_release(tmp_path: Path) -> None:
    folder = models(tmp_path)
    write(folder / "Iris/model.pkl", pointer(b"large"))
    with following(folder) as source, pytest.raises(ReleaseFailed, match=r"Iris/model\.pkl .* git lfs pull") as caught:
        ReleaseStore(tmp_path / "releases").put(release(source.look()), source)
    assert not caught.value.heals


def test_a_link_that_leaves_the_folder_fails_its_model_alone(tmp_path: Path) -> None:
    folder = models(tmp_path)
    (folder / "Iris/out").symlink_to("/etc/passwd")
    with following(folder) as source:
        desired = source.look()
    assert "Iris/out is a symbolic link" in str(desired.models["Iris"].failure)
    assert desired.models["Churn"].revision is not None


@pytest.mark.parametrize("uses", ["[missing]", "['..']", "['../..']", "['/etc']"])
def test_a_shared_folder_that_is_none_fails_by_name(tmp_path: Path, uses: str) -> None:
    folder = models(tmp_path)
    write(folder / "Churn/model.yaml", f"uses: {uses}")
    with following(folder) as source:
        failure = source.look().models["Churn"].failure
        again = source.look().models["Churn"]
    assert uses.strip("[]'") in str(failure)
    assert again.version.number == 1


def test_versions_seen_since_the_start_are_found_and_others_are_not(tmp_path: Path) -> None:
    folder = models(tmp_path)
    with following(folder, {"Iris": ["0123456789abcdef0123"]}) as source:
        second = source.look().models["Iris"]
        assert source.resolve("Iris", "v2") == second
        assert source.resolve("Iris", revision_id(second.revision)[:7]) == second
        assert source.resolve("Iris", second.version.commit) == second
        for name in ("v1", "v3", "v0", "0123456", "abc", "", "../x"):
            with pytest.raises(VersionNotFound, match="since the start"):
                source.resolve("Iris", name)


def test_a_folder_that_is_gone_or_empty_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "models_serve"
    with following(folder) as source:
        with pytest.raises(SourceError, match="can't be read"):
            source.look()
        folder.mkdir()
        with pytest.raises(SourceError, match=r"holds no model.*or set gitPath to a repository"):
            source.look()
        write(folder / "Iris/etls.py", "")
        assert source.look().models


@pytest.mark.parametrize(
    ("file", "right"),
    [("Etls.py", "etls.py"), ("model.yml", "model.yaml"), ("A.ONNX", "A.onnx"), ("TRAIN.PY", "train.py")],
)
def test_a_folder_whose_file_is_nearly_called_right_is_told_of(tmp_path: Path, file: str, right: str) -> None:
    folder = tmp_path / "models_serve"
    write(folder / "Iris/etls.py", "")
    write(folder / "Other" / file, "")
    write(folder / "Shared/etl.py", "")
    write(folder / "README", "")
    with following(folder) as source:
        snapshot = source.look()
    assert list(snapshot.models) == ["Iris"]
    assert snapshot.left_out == {"Other": f"{file} is not read; rename it to {right}"}


def test_a_folder_that_trains_has_a_code_key(tmp_path: Path) -> None:
    folder = models(tmp_path)
    write(folder / "Iris/train.py", "1")
    with following(folder) as source:
        first = release(source.look()).revision.code_key
        write(folder / "Iris/README.md", "words")
        assert release(source.look()).revision.code_key == first is not None
        write(folder / "Iris/train.py", "2")
        assert release(source.look()).revision.code_key != first
        assert release(source.look(), "Churn").revision.code_key is None
