from __future__ import annotations

import itertools
import os
import time

from core.manifest.manifest import Serve
from loader.workers.fault import standing_still
from loader.workers.process.heartbeat import CHECK_S, AwakeClock, Heartbeat, Standstill
from loader.workers.process.thread_dump import shortened
from worker.wire.status_page import FIRST_REQUEST_SLOT, MAIN_SLOT, StatusPage, new_page

MINUTE_NS = 60 * 10**9


def test_time_in_which_the_daemon_itself_was_stopped_counts_against_no_worker() -> None:
    status_page = StatusPage(new_page())
    heartbeat = Heartbeat(status_page)
    since = time.monotonic_ns() - MINUTE_NS
    status_page.record_heartbeat(since)
    status_page.begin(MAIN_SLOT, since)
    times = itertools.chain([0.0, CHECK_S, 60.0], itertools.count(60.0, CHECK_S))
    clock = AwakeClock(lambda: next(times))
    heartbeat.read(clock.read())
    stopped = heartbeat.read(clock.read())  # the daemon goes on after a minute; the worker may have stood still with it
    assert max(stopped.loop, *stopped.slices.values()) < 2
    for _ in range(100):
        hangs = heartbeat.read(clock.read())
    assert min(hangs.loop, *hangs.slices.values()) > 20
    status_page.close()


def test_what_goes_on_stands_still_for_no_time() -> None:
    status_page = StatusPage(new_page())
    heartbeat = Heartbeat(status_page)
    assert heartbeat.read(0) == Standstill({}, 0)  # it loads
    for awake_s in range(100):
        status_page.record_heartbeat(time.monotonic_ns())
        status_page.begin(FIRST_REQUEST_SLOT, time.monotonic_ns())
        still = heartbeat.read(awake_s)
        assert still.loop < 1
        assert still.slices[FIRST_REQUEST_SLOT] < 1
    status_page.close()


def test_a_loop_is_given_time_for_its_iteration_and_no_more_than_a_request() -> None:
    assert standing_still(Standstill({}, 2.5), Serve(timeout_s=0.1)) is None
    assert standing_still(Standstill({}, 4.0), Serve(timeout_s=0.1)) is not None
    assert standing_still(Standstill({}, 29.0), Serve(timeout_s=30)) is None
    assert standing_still(Standstill({}, 31.0), Serve(timeout_s=30)) is not None


def test_the_others_go_on_where_there_is_a_thread_for_them_and_the_loop_takes_turns() -> None:
    hangs = {FIRST_REQUEST_SLOT: 31.0, FIRST_REQUEST_SLOT + 1: 3.0}
    for threads, loop_s, can in ((2, 1.0, True), (1, 1.0, False), (2, 20.0, False)):
        fault = standing_still(Standstill(hangs, loop_s), Serve(threads=threads))
        assert fault is not None
        assert fault.others_can_go_on is can


def test_a_dump_of_many_threads_is_short_and_begins_with_the_models_own() -> None:
    ours = "\n".join(["Thread 0x1 (most recent call first):", *['  File "/pawl/worker/loop.py", line 1 in run'] * 30])
    models = 'Thread 0x2 (most recent call first):\n  File "/releases/Model/etls.py", line 2 in wait'
    told = shortened("\n\n".join([*[ours] * 50, models]), "/releases")
    assert told.startswith(models)
    assert len(told.splitlines()) < 70
    assert "46 threads more" in told
    assert "18 calls more" in told


def test_what_is_written_to_a_copy_of_the_status_pages_descriptor_is_a_traceback() -> None:
    page = new_page()
    status_page, other = StatusPage(os.dup(page)), os.dup(page)
    assert status_page.tracebacks() == ""
    os.write(other, b"File one\n")
    os.write(page, b"File two\n")
    assert status_page.tracebacks() == "File one\nFile two\n"
    assert status_page.slices() == {}
    os.close(page)
    os.close(other)
    status_page.close()
    assert status_page.tracebacks() == ""
