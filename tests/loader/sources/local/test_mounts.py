"""Folders mounted from ConfigMaps and Secrets, which are links to hidden files."""

from __future__ import annotations

import os
from pathlib import Path
from queue import Queue

import pytest

from core.errors import ReleaseFailed
from core.release import Snapshot
from loader.files.tree import Bounds
from loader.releases.store import ReleaseStore
from loader.sources.local.source import LocalSource
from loader.sources.local.stable_scans import StableScans
from tests.loader.sources.local.folders import checked_out, failure, following, models, release, write
from tests.volumes import Volume


@pytest.mark.parametrize("mode", [0o644, 0o440, 0o400])
def test_a_mounted_model_is_released_as_plain_files(tmp_path: Path, mode: int) -> None:
    folder = models(tmp_path)
    Volume(folder / "Mounted", {"etls.py": "1", "model.yaml": "uses: [common]", "deep/data.csv": "2"}, mode)
    with following(folder) as source:
        assert checked_out(source, "Mounted", tmp_path / "releases") == {
            "Mounted/etls.py": "1",
            "Mounted/model.yaml": "uses: [common]",
            "Mounted/deep/data.csv": "2",
            "common/x.py": "1",
        }


def test_a_mounted_model_is_the_same_release_as_one_of_plain_files(tmp_path: Path) -> None:
    folder = models(tmp_path)
    with following(folder) as source:
        plain = release(source.look())
    (folder / "Iris/etls.py").unlink()
    Volume(folder / "Iris", {"etls.py": "1"})
    with following(folder) as source:
        assert release(source.look()) == plain


def test_a_mount_of_all_models_is_read_with_what_they_share(tmp_path: Path) -> None:
    files = {
        "Iris/etls.py": "1",
        "Churn/etls.py": "2",
        "Churn/model.yaml": "uses: [common]",
        "common/x.py": "3",
        "requirements.txt": "numpy",
        "README.md": "4",
    }
    folder = Volume(tmp_path / "models_serve", files).path
    with following(folder) as source:
        desired = source.look()
        assert (set(desired.models), desired.left_out) == ({"Iris", "Churn"}, {})
        del files["README.md"], files["Iris/etls.py"]
        assert checked_out(source, "Churn", tmp_path / "releases") == files


def test_a_file_mounted_over_one_of_a_folder_is_part_of_it(tmp_path: Path) -> None:
    folder = models(tmp_path)
    Volume(folder / "Iris/config", {"a.json": "{}"})
    with following(folder) as source:
        assert checked_out(source, "Iris", tmp_path / "releases") == {"Iris/etls.py": "1", "Iris/config/a.json": "{}"}


@pytest.mark.parametrize("whole", [False, True])
def test_an_update_of_a_mount_calls_for_a_look_and_is_another_version(tmp_path: Path, whole: bool) -> None:
    folder = tmp_path / "models_serve"
    name = "Iris/etls.py" if whole else "etls.py"
    volume = Volume(folder if whole else folder / "Iris", {name: "1"})
    with following(folder) as source:
        looks = looking(source)
        for number in (1, 2, 3):
            volume.update({name: f"{number}"})
            wait_for_version(looks, number)


def test_a_change_behind_a_link_of_ones_own_calls_for_a_look(tmp_path: Path) -> None:
    folder = models(tmp_path)
    write(folder / "Iris/.data/words.txt", "1")
    (folder / "Iris/words.txt").symlink_to(".data/words.txt")
    with following(folder) as source:
        looks = looking(source)
        wait_for_version(looks, 1)
        write(folder / "Iris/.data/words.txt", "2")
        wait_for_version(looks, 2)


def test_a_swap_between_two_parts_of_a_look_mixes_no_release(tmp_path: Path) -> None:
    before, after = ({"Churn/etls.py": each, "common/x.py": each} for each in ("before", "after"))
    volume = Volume(tmp_path / "models", before)
    parts = ("Churn", "common")
    scans = StableScans(volume.path, Bounds(), lambda _: volume.update(after))
    assert scans.stable(parts) == {}
    quiet = StableScans(volume.path, Bounds(), lambda _: None)
    taken = quiet.stable(parts)
    assert set(taken) == {*parts}


def test_one_part_that_changed_has_the_others_of_its_mount_looked_at_again(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "models", {"Churn/etls.py": "1", "common/x.py": "1"})
    updates = iter([None, {"Churn/etls.py": "2", "common/x.py": "2"}])

    def somebody_updates(_: float) -> None:
        if (files := next(updates, None)) is not None:
            volume.update(files)

    scans = StableScans(volume.path, Bounds(), somebody_updates)
    assert set(scans.stable(["Churn", "common"])) == {"Churn", "common"}
    write(tmp_path / "models/New/etls.py", "")
    assert set(scans.stable(["Churn", "common", "New"])) == {"New"}


def test_an_update_between_the_look_and_the_checkout_fails_the_release_for_now(tmp_path: Path) -> None:
    folder = models(tmp_path)
    (folder / "Iris/etls.py").unlink()
    volume = Volume(folder / "Iris", {"etls.py": "1"})
    with following(folder) as source:
        wanted = release(source.look())
        volume.update({"etls.py": "2"})
        with pytest.raises(ReleaseFailed, match="not what it was"):
            ReleaseStore(tmp_path / "releases").put(wanted, source)
        assert checked_out(source, "Iris", tmp_path / "releases") == {"Iris/etls.py": "2"}


def test_a_link_to_a_sibling_stays_a_link(tmp_path: Path) -> None:
    folder = models(tmp_path)
    (folder / "Iris/link").symlink_to("etls.py")
    with following(folder) as source:
        path = ReleaseStore(tmp_path / "releases").put(release(source.look()), source)
    assert os.readlink(path / "Iris/link") == "etls.py"


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("..data/gone", "which is not there"),
        ("../.secret/x", "outside of Iris"),
        ("../../.secret", "outside of"),
        ("..data/out", "outside of"),
        ("loop", "round in a circle"),
        (".around", "round in a circle"),
        (".here", "a folder that it is in"),
        ("../Churn/etls.py", "outside of Iris"),
    ],
)
def test_a_link_that_leads_nowhere_good_fails_its_model_alone_by_name(tmp_path: Path, target: str, why: str) -> None:
    folder = models(tmp_path)
    (folder / "Iris/etls.py").unlink()
    Volume(folder / "Iris", {"etls.py": "1"})
    write(folder / ".secret/x", "")
    (folder / "Iris/..data/out").symlink_to("/etc/passwd")
    (folder / "Iris/.around").symlink_to("loop")
    (folder / "Iris/.here").symlink_to(".")
    (folder / "Iris/loop").symlink_to(target)
    with following(folder) as source:
        desired = source.look()
    assert "Iris/loop" in failure(desired)
    assert why in failure(desired)
    assert release(desired, "Churn")


@pytest.mark.parametrize(
    ("target", "why"), [("/srv", "outside of"), ("../elsewhere", "outside of"), ("Churn", "its own name")]
)
def test_a_model_folder_that_is_a_link_out_of_the_models_is_left_out_by_name(
    tmp_path: Path, target: str, why: str
) -> None:
    folder = models(tmp_path)
    write(tmp_path / "elsewhere/etls.py", "")
    (folder / "Linked").symlink_to(tmp_path / "elsewhere" if target == "/srv" else target)
    with following(folder) as source:
        desired = source.look()
    assert set(desired.models) == {"Iris", "Churn"}
    assert "Linked is a symbolic link" in desired.left_out["Linked"]
    assert why in desired.left_out["Linked"]


def test_a_model_that_becomes_a_link_out_of_the_models_fails_and_is_not_removed(tmp_path: Path) -> None:
    folder = models(tmp_path)
    with following(folder) as source:
        source.look()
        (folder / "Iris").rename(tmp_path / "elsewhere")
        (folder / "Iris").symlink_to("../elsewhere")
        assert "outside of" in failure(source.look())


def test_links_that_multiply_are_bounded(tmp_path: Path) -> None:
    folder = models(tmp_path)
    for depth in range(40):
        for name in "ab":
            (folder / f"Iris/.d/{depth}").mkdir(parents=True, exist_ok=True)
            (folder / f"Iris/.d/{depth}/{name}").symlink_to(f"../../.d/{depth + 1}")
    write(folder / "Iris/.d/40/x", "")
    (folder / "Iris/d").symlink_to(".d/0")
    with following(folder, bounds=Bounds(files=100)) as source:
        assert "more than 100 files and folders" in failure(source.look())


def looking(source: LocalSource) -> Queue[Snapshot]:
    """What each look finds that the source calls for."""
    looks: Queue[Snapshot] = Queue()
    source.start(lambda: looks.put(source.look()))
    return looks


def wait_for_version(looks: Queue[Snapshot], number: int) -> None:
    while True:
        found = looks.get(timeout=100).models.get("Iris")
        if found is not None and found.version.number == number:
            return
