from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from loader.files.file_list import Recorded, write_file_list
from loader.releases.proofs import Answered, Proof
from server.versions.differences import answers_diff, packages_diff, scores_diff
from server.versions.folder_patch import folder_patch
from server.versions.views import EnvironmentView, PackagesDiff


def proof(*answers: tuple[object, object]) -> Proof:
    return Proof(
        at=datetime(2026, 6, 21, tzinfo=UTC),
        answers=[Answered(variables=asked, answer=told) for asked, told in answers],
    )


def test_packages_that_came_went_and_changed() -> None:
    before = EnvironmentView(id="a", packages={"numpy": "1", "pandas": "2", "same": "1"})
    after = EnvironmentView(id="b", packages={"numpy": "2", "scipy": "3", "same": "1"})
    assert packages_diff(before, after) == PackagesDiff(
        added={"scipy": "3"}, removed={"pandas": "2"}, changed={"numpy": ("1", "2")}
    )
    assert packages_diff(None, after) is packages_diff(before, None) is None


def test_scores_of_either() -> None:
    found = scores_diff({"auc": 0.9, "old": 1.0}, {"auc": 0.8})
    assert {name: (one.before, one.after) for name, one in found.items()} == {"auc": (0.9, 0.8), "old": (1.0, None)}


def test_answers_are_compared_by_what_was_asked() -> None:
    found = answers_diff(proof(({"a": 1, "b": 2}, 1), ("gone", 2)), proof(("new", 3), ({"b": 2, "a": 1}, 1)))
    assert [(one.variables, one.before, one.after, one.same) for one in found] == [
        ("new", None, 3, None),
        ({"b": 2, "a": 1}, 1, 1, True),
        ("gone", 2, None, None),
    ]
    assert answers_diff(None, None) == []


def folder(path: Path, **files: str | bytes) -> Path:
    path.mkdir()
    record = {}
    for name, content in files.items():
        written = content.encode() if isinstance(content, str) else content
        (path / name).write_bytes(written)
        record[name] = Recorded("100644", f"{hash(written)}", len(written))
    write_file_list(path, record)
    return path


def test_folders_are_compared_file_by_file_as_far_as_they_are_short_texts(tmp_path: Path) -> None:
    before = folder(tmp_path / "a", same="1\n", text="one\ntwo\n", gone="x\n", binary=b"\xff", large="a\n" * 100_000)
    after = folder(tmp_path / "b", same="1\n", text="one\nthree\n", new="y\n", binary=b"\xfe", large="b\n" * 100_000)
    found = folder_patch(before, after, 100_000)
    assert found is not None
    assert "-two\n+three\n" in found.text
    assert "--- a/gone\n+++ /dev/null" in found.text
    assert "--- /dev/null\n+++ b/new" in found.text
    assert found.text.count("Binary files") == 2
    assert "same" not in found.text
    cut = folder_patch(before, after, 50)
    assert cut is not None
    assert (len(cut.text), cut.is_cut) == (50, True)
    assert folder_patch(before, tmp_path / "nowhere", 100) is None
