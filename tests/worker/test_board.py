from __future__ import annotations

from pathlib import Path

from worker.board import SLOTS, Board


def test_what_one_slot_does_leaves_every_other_as_it_is(tmp_path: Path) -> None:
    with_daemon = Board(str(tmp_path / "board"), create=True)
    board = Board(str(tmp_path / "board"))
    board.begin(SLOTS - 1)  # the last of 1,024 threads hangs
    for slot in range(SLOTS - 1):
        board.begin(slot)
        board.end(slot)
    board.count(0, 3)
    assert with_daemon.longest_slice_s() > 0
    assert with_daemon.counters()["requests"] == 3
    board.end(SLOTS - 1)
    assert with_daemon.longest_slice_s() == 0
