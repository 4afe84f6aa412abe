from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from core.decisions import Decisions, Rejected
from core.errors import ReleaseFailed
from core.manifest.manifest import Manifest
from core.release import Artifact, Candidate, Release, Revision, Served, Version
from loader.releases.live_file import LiveFile
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.repos import Repo

FIRST_EDITION = Path(__file__).parents[2] / "data/live.first-edition.json"


def release(model: str = "Iris", id: str = "abc") -> Release:
    return Release(Revision(model, id, Manifest(description="flowers"), {model: "tree"}, "requirements"))


def test_what_was_put_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    first = LiveFile(path, "here")
    first.put(release(), Version(3, "c" * 40), {"Iris": ["a", "abc"]})
    first.put(release("Churn"), Version(1, "d" * 40))
    first.remove("Churn")
    second = LiveFile(path, "here")
    (live,) = second.live().values()
    assert live == (release(), Version(3, "c" * 40))
    assert live[0].manifest.description == "flowers"
    assert live[0].revision.default_requirements == "requirements"
    assert second.seen == {"Iris": ["a", "abc"]}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"live": {"Iris": 3}}'])
def test_a_spoiled_file_counts_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "live.json"
    path.write_bytes(content)
    assert LiveFile(path, "").live() == {}


def test_what_another_source_left_is_not_served(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    LiveFile(path, "there").put(release(), Version(1, "c"))
    assert LiveFile(path, "here").live() == {}


def test_what_could_not_be_written_is_written_later_and_the_file_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    live_file = LiveFile(path, "here")
    live_file.put(release(id="old"), Version(1, "c"))
    aside = path.with_suffix(".tmp")
    aside.mkdir()  # in the way of every write
    with pytest.raises(OSError):
        live_file.put(release(id="new"), Version(2, "d"))
    with pytest.raises(OSError):
        live_file.write_again()
    assert LiveFile(path, "here").live()["Iris"][0].id == "old"
    aside.rmdir()
    live_file.write_again()
    assert LiveFile(path, "here").live()["Iris"][0].id == "new"


def test_nothing_is_written_when_nothing_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    live_file = LiveFile(path, "here")
    live_file.put(release(), Version(1, "c"))
    before = os.stat(path)[stat.ST_INO]
    live_file.put(release(), Version(1, "c"))
    live_file.write_again()
    assert os.stat(path)[stat.ST_INO] == before


def test_releases_that_are_forgotten_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    ids = [str(number) for number in range(1500)]
    LiveFile(path, "here").put(release(), Version(1507, "c"), {"Iris": ids}, {"Iris": 7})
    again = LiveFile(path, "here")
    assert again.seen["Iris"][-1] == "1499"
    assert again.forgotten["Iris"] + len(again.seen["Iris"]) == 1507
    again.put(release(id="next"), Version(1508, "c"))
    assert LiveFile(path, "here").forgotten == again.forgotten


def test_where_nothing_was_counted_the_live_number_tells_how_many_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    LiveFile(path, "here").put(release(), Version(1200, "c"), {"Iris": ["a", "b"]})
    content = json.loads(path.read_text())
    del content["forgotten"]
    path.write_text(json.dumps(content))
    assert LiveFile(path, "here").forgotten == {"Iris": 1198}


def test_what_cannot_be_read_of_one_model_costs_none_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    live_file = LiveFile(path, "here")
    live_file.put(release(), Version(1, "c"))
    live_file.put(release("Churn"), Version(1, "d"))
    path.write_text(path.read_text().replace('"timeout_s": 30.0', '"timeout_s": null', 1))
    assert set(LiveFile(path, "here").live()) == {"Churn"}


def test_what_cannot_be_written_of_one_model_costs_none_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    live_file = LiveFile(path, "here")
    odd = Release(Revision("Odd", "abc", Manifest(metadata={"a": {True: 1}}), {"Odd": "tree"}))
    live_file.update({"Odd": (Served(odd, Version(1, "c")),), "Iris": (Served(release(), Version(1, "c")),)})
    assert set(LiveFile(path, "here").live()) == {"Iris"}


def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    LiveFile(path, "here").put(release(), Version(1, "c"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_decided_over_a_model_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    revision = Revision("Iris", "abc", Manifest(), {"Iris": "tree"}, code_key="c0de")
    served = Served(Release(revision, Artifact("a1", "run1")), Version(3, "c" * 40))
    before = Served(Release(revision, Artifact("a0", "run0")), Version(3, "c" * 40))
    heads = {
        "Iris": Candidate("Iris", Version(4, "d" * 40), revision),
        "Odd": Candidate("Odd", Version(1, "d" * 40), None, ReleaseFailed("no class", stage="manifest")),
    }
    decisions = Decisions(
        pins={"Iris": before},
        rejections={"Iris": Rejected(frozenset("r"), frozenset("k"), frozenset("r"))},
        targets={"Iris": before},
        artifacts={"c0de": (Artifact("a1", "run1"),)},
    )
    LiveFile(path, "here").update({"Iris": (served, before)}, known=(heads, decisions))
    again = LiveFile(path, "here")
    assert again.last_live() == {"Iris": (served, before)}
    assert [one.release.run for one in again.last_live()["Iris"]] == ["run1", "run0"]
    assert again.decisions() == decisions
    assert again.heads()["Iris"] == heads["Iris"]
    head = again.heads()["Iris"].revision
    assert head is not None
    assert head.code_key == "c0de"
    assert str(again.heads()["Odd"].failure) == "no class"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_of_the_first_edition_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    shutil.copy(FIRST_EDITION, path)
    file = LiveFile(path, "/tmp/first/models")
    live = file.live()
    assert live["Churn"].release.manifest.serve.timeout_s == 5
    repo = Repo(tmp_path / "models")
    repo.write("Iris/etls.py", "class Iris:\n    def transform_predict(self):\n        return {}\n").commit()
    repo.turn_clock(1)  # to when that edition's repository was made
    repo.write(
        "Churn/etls.py", "import common\n\n\nclass Churn:\n    def transform_predict(self):\n        return {}\n"
    )
    repo.write("Churn/model.yaml", "description: who leaves\nuses: [common]\nserve: {timeout_s: 5}\n")
    repo.write("common/common.py").commit()
    source = GitSource(Remote(str(repo)), tmp_path / "data")
    heads = source.look().models
    source.close()
    assert {model: (one.release.revision, one.version) for model, one in live.items()} == {
        model: (head.revision, head.version) for model, head in heads.items()
    }
    file.update({}, known=(heads, Decisions()))
    assert LiveFile(path, "/tmp/first/models").live() == live
