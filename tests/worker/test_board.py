from __future__ import annotations

import os
import time

from worker.board import SLOTS, Board, new_page


def test_what_one_slot_does_leaves_every_other_as_it_is() -> None:
    page = new_page()
    with_daemon, board = Board(os.dup(page)), Board(page)
    board.begin(SLOTS - 1, time.monotonic_ns())  # the last of 1,024 threads hangs
    for slot in range(SLOTS - 1):
        board.begin(slot, time.monotonic_ns())
        board.end(slot)
    board.count(0, 3)
    assert with_daemon.longest_slice_s() > 0
    assert with_daemon.counters()["requests"] == 3
    board.end(SLOTS - 1)
    assert with_daemon.longest_slice_s() == 0


def test_after_the_end_of_a_board_nothing_runs() -> None:
    board = Board(new_page())
    board.begin(0, time.monotonic_ns())
    board.close()
    assert board.longest_slice_s() == 0
    assert board.counters()["requests"] == 0
