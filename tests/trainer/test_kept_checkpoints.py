from __future__ import annotations

from pathlib import Path

from trainer.kept_checkpoints import KeptCheckpoints

DAY_S = 86_400.0


def left(home: Path, key: str, step: str) -> Path:
    folder = home / key / "checkpoint"
    folder.mkdir(parents=True)
    (folder / "step").write_text(step)
    return folder


def test_a_checkpoint_is_given_back_once(tmp_path: Path) -> None:
    kept, folder = KeptCheckpoints(tmp_path), left(tmp_path, "one", "3")
    kept.keep("one")
    assert not folder.exists()
    kept.give_back("two")
    kept.give_back("one")
    assert (folder / "step").read_text() == "3"
    (folder / "step").write_text("4")
    kept.give_back("one")
    assert (folder / "step").read_text() == "4"


def test_the_latest_is_kept_and_what_the_folder_has_already_stays(tmp_path: Path) -> None:
    kept, folder = KeptCheckpoints(tmp_path), left(tmp_path, "one", "3")
    kept.keep("one")
    left(tmp_path, "one", "4")
    kept.keep("one")
    left(tmp_path, "one", "5")
    kept.give_back("one")
    assert (folder / "step").read_text() == "5"
    (folder / "step").unlink()
    kept.give_back("one")
    assert (folder / "step").read_text() == "4"


def test_after_a_day_it_is_gone(tmp_path: Path) -> None:
    now = [1e9]
    kept = KeptCheckpoints(tmp_path, lambda: now[0])
    for key in ("old", "young"):
        left(tmp_path, key, "3")
    kept.keep("old")
    now[0] += DAY_S / 2
    kept.keep("young")
    now[0] += DAY_S / 2 + 1
    kept.prune()
    for key in ("old", "young"):
        kept.give_back(key)
    assert not (tmp_path / "old" / "checkpoint").exists()
    assert (tmp_path / "young" / "checkpoint" / "step").exists()


def test_where_nothing_was_left_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "one" / "checkpoint").mkdir(parents=True)
    kept = KeptCheckpoints(tmp_path)
    kept.keep("one")
    kept.keep("two")
    assert not (tmp_path / ".checkpoints").exists()
