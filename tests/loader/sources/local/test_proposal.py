from __future__ import annotations

from pathlib import Path

import pytest

from loader.sources.changes import Change, NotWritable
from loader.sources.local.source import LocalSource

ETLS = "class Echo:\n    def transform_predict(self): ...\n"


def upload(folder: Path, aside: Path, model: str = "Echo", *, gone: bool = False) -> None:
    """The model's folder is replaced by one with an etls.py in it, or goes."""
    aside.mkdir()
    (aside / "etls.py").write_text(ETLS)
    source = LocalSource(folder, {})
    proposal = source.propose(Change(model, None if gone else aside, "somebody", "Upload", ""))
    proposal.make()
    proposal.close()


def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    (folder / "Echo").mkdir(parents=True)
    (folder / "Echo" / "etls.py").write_text(ETLS + "# before\n")
    return folder


def test_a_models_folder_is_replaced(tmp_path: Path) -> None:
    folder = models(tmp_path)
    (folder / "Empty").mkdir()
    for number, model in enumerate(("Echo", "New", "Empty")):
        upload(folder, tmp_path / f"aside{number}", model)
        assert (folder / model / "etls.py").read_text() == ETLS


@pytest.mark.parametrize("gone", [False, True])
def test_a_git_repository_of_its_own_keeps_its_history(tmp_path: Path, gone: bool) -> None:
    folder = models(tmp_path)
    (folder / "Echo" / ".git").mkdir()
    with pytest.raises(NotWritable, match="a git repository of its own"):
        upload(folder, tmp_path / "aside", gone=gone)
    assert (folder / "Echo" / ".git").is_dir()
    assert "before" in (folder / "Echo" / "etls.py").read_text()


def test_files_that_are_no_model_stay(tmp_path: Path) -> None:
    folder = models(tmp_path)
    (folder / "notes").mkdir()
    (folder / "notes" / "thesis.txt").write_text("three years of work")
    (folder / "file").write_text("as much")
    for number, (model, says) in enumerate((("notes", "holds files and no model"), ("file", "is a file"))):
        with pytest.raises(NotWritable, match=says):
            upload(folder, tmp_path / f"aside{number}", model)
    assert (folder / "notes" / "thesis.txt").exists()


def test_a_link_to_a_folder_elsewhere_is_left_alone(tmp_path: Path) -> None:
    folder, elsewhere = models(tmp_path), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / "Link").symlink_to(elsewhere)
    with pytest.raises(NotWritable, match="a link to a folder elsewhere"):
        upload(folder, tmp_path / "aside", "Link")
    assert list(elsewhere.iterdir()) == []
