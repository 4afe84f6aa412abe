from __future__ import annotations

import os
import time

import pytest

from worker.wire.status_page import SLOTS, StatusPage, new_page


def test_what_one_slot_does_leaves_every_other_as_it_is() -> None:
    page = new_page()
    with_daemon, status_page = StatusPage(os.dup(page)), StatusPage(page)
    status_page.begin(SLOTS - 1, time.monotonic_ns())  # the last of 1,024 threads hangs
    for slot in range(SLOTS - 1):
        status_page.begin(slot, time.monotonic_ns())
        status_page.end(slot)
    status_page.count(0, 3)
    assert with_daemon.slices()
    assert with_daemon.counters()["requests"] == 3
    status_page.end(SLOTS - 1)
    assert with_daemon.slices() == {}


def test_nobody_cuts_off_what_the_daemon_reads() -> None:
    page = new_page()
    copy = os.dup(page)
    status_page = StatusPage(page)
    for size in (0, 1 << 30):
        with pytest.raises(PermissionError):
            os.ftruncate(copy, size)
    os.close(copy)
    assert status_page.slices() == {}


def test_after_the_end_of_a_status_page_nothing_runs() -> None:
    status_page = StatusPage(new_page())
    status_page.begin(0, time.monotonic_ns())
    status_page.close()
    assert status_page.slices() == {}
    assert status_page.counters()["requests"] == 0
