from __future__ import annotations

from pathlib import Path

from trainer.kept_checkpoints import KeptCheckpoints

DAY_S = 86_400.0
MAX_BYTES = 8


def left(home: Path, key: str, step: str) -> Path:
    folder = home / key / "checkpoint"
    folder.mkdir(parents=True)
    (folder / "step").write_text(step)
    return folder


def test_a_checkpoint_is_given_back_once(tmp_path: Path) -> None:
    kept, folder = KeptCheckpoints(tmp_path, MAX_BYTES), left(tmp_path, "one", "3")
    kept.keep("one")
    assert not folder.exists()
    kept.give_back("two")
    kept.give_back("one")
    assert (folder / "step").read_text() == "3"
    (folder / "step").write_text("4")
    kept.give_back("one")
    assert (folder / "step").read_text() == "4"


def test_the_latest_is_kept_and_what_the_folder_has_already_stays(tmp_path: Path) -> None:
    kept, folder = KeptCheckpoints(tmp_path, MAX_BYTES), left(tmp_path, "one", "3")
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
    kept = KeptCheckpoints(tmp_path, MAX_BYTES, lambda: now[0])
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


def test_the_oldest_goes_where_all_of_them_take_too_much(tmp_path: Path) -> None:
    now = [1e9]
    kept = KeptCheckpoints(tmp_path, MAX_BYTES, lambda: now[0])
    for key, step in (("old", "333"), ("newer", "4444"), ("newest", "55")):
        left(tmp_path, key, step)
        now[0] += 1
        kept.keep(key)
    for key in ("old", "newer", "newest"):
        kept.give_back(key)
    assert not (tmp_path / "old" / "checkpoint").exists()
    assert (tmp_path / "newer" / "checkpoint" / "step").exists()
    assert (tmp_path / "newest" / "checkpoint" / "step").exists()


def test_one_that_is_too_large_alone_is_not_kept_and_takes_no_other_with_it(tmp_path: Path) -> None:
    now = [1e9]
    kept = KeptCheckpoints(tmp_path, MAX_BYTES, lambda: now[0])
    for key, step in (("small", "1"), ("large", "999999999")):
        left(tmp_path, key, step)
        now[0] += 1
        kept.keep(key)
    for key in ("small", "large"):
        kept.give_back(key)
    assert (tmp_path / "small" / "checkpoint" / "step").exists()
    assert not (tmp_path / "large" / "checkpoint").exists()


def test_where_nothing_was_left_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "one" / "checkpoint").mkdir(parents=True)
    kept = KeptCheckpoints(tmp_path, MAX_BYTES)
    kept.keep("one")
    kept.keep("two")
    assert not (tmp_path / ".checkpoints").exists()
