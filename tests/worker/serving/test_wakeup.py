from __future__ import annotations

import select
import threading

import pytest

from worker.serving.wakeup import Wakeup, WakeupClosed


def is_readable(wakeup: Wakeup) -> bool:
    return bool(select.select([wakeup], [], [], 0)[0])


def test_a_callback_wakes_a_loop_that_sleeps_and_no_other() -> None:
    wakeup, done = Wakeup(), list[int]()
    wakeup.post(lambda: done.append(1))
    assert not is_readable(wakeup)
    assert not wakeup.may_sleep()
    wakeup.run_callbacks()
    assert wakeup.may_sleep()
    wakeup.post(lambda: done.append(2))
    wakeup.post(lambda: done.append(3))
    assert is_readable(wakeup)
    wakeup.clear()
    assert not is_readable(wakeup)
    wakeup.run_callbacks()
    assert done == [1, 2, 3]
    wakeup.close()


@pytest.mark.parametrize("threads", [1, 4])
def test_no_callback_is_slept_through(threads: int) -> None:
    each, done = 5_000, list[int]()
    wakeup = Wakeup()
    ticket = threading.Semaphore(threads)  # few are under way at a time, so that the loop sleeps again and again

    def callback() -> None:
        done.append(1)
        ticket.release()

    def post() -> None:
        for _ in range(each):
            ticket.acquire()
            wakeup.post(callback)

    posting = [threading.Thread(target=post) for _ in range(threads)]
    for thread in posting:
        thread.start()
    while len(done) < each * threads:
        if wakeup.may_sleep():
            assert select.select([wakeup], [], [], 60)[0], "a callback was slept through"
            wakeup.clear()
        wakeup.run_callbacks()
    for thread in posting:
        thread.join()
    wakeup.close()


def test_where_there_is_no_loop_any_more_nobody_waits_for_it() -> None:
    wakeup = Wakeup()
    wakeup.close()
    with pytest.raises(WakeupClosed):
        wakeup.wake()
    with pytest.raises(WakeupClosed):
        wakeup.post(lambda: None)
