from __future__ import annotations

import gc
import threading
import weakref
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.onnx.batchable import SLOW_S, Batchable
from worker.onnx.batcher import Batch, Batcher, Call, choose


def double(_: list[str] | None, feeds: Mapping[str, Any]) -> list[Any]:
    return [feeds["x"] * 2]


def a_batchable(
    run: Any = double, *, max_rows: int = 64, merges: bool = True, notices: list[str] | None = None
) -> Batchable:
    told = [] if notices is None else notices
    return Batchable("m", run, max_rows=max_rows, merges=merges, why="", notice=told.append)


def a_call(batchable: Batchable, *values: float, key: str | None = "k") -> Call:
    return Call(batchable, None, {"x": np.array(values)}, rows=len(values), key=key)


def a_batcher(*calls: Call) -> Batcher:
    batcher = Batcher(wait=lambda call: None, can_wait=lambda: True)
    for call in calls:
        batcher.add(call)
    return batcher


def run_all(batcher: Batcher) -> list[int]:
    """The rows of the batches."""
    sizes = []
    while (batch := batcher.take()) is not None:
        batch.run()
        sizes.append(batch.rows)
    return sizes


def answers(*calls: Call) -> list[list[float]]:
    return [call.outcome()[0].tolist() for call in calls]


def test_calls_that_fit_run_as_one_and_each_gets_its_rows() -> None:
    batchable = a_batchable()
    calls = [a_call(batchable, 1), a_call(batchable, 2, 3), a_call(batchable, 4)]
    assert run_all(a_batcher(*calls)) == [4]
    assert answers(*calls) == [[2], [4, 6], [8]]


def test_without_calls_there_is_no_batch() -> None:
    batcher = a_batcher()
    assert batcher.pending == 0
    assert batcher.take() is None


def test_pending_counts_the_calls_that_wait() -> None:
    batchable = a_batchable()
    batcher = a_batcher(a_call(batchable, 1), a_call(batchable, 2, key="other"))
    assert batcher.pending == 2
    batcher.take()
    assert batcher.pending == 1


def test_a_call_without_a_key_runs_alone() -> None:
    batchable = a_batchable()
    calls = [a_call(batchable, 1, key=None), a_call(batchable, 2, key=None)]
    assert run_all(a_batcher(*calls)) == [1, 1]


def test_a_call_larger_than_a_batch_runs_alone_and_whole() -> None:
    batchable = a_batchable(max_rows=2)
    calls = [a_call(batchable, 1, 2, 3), a_call(batchable, 4)]
    assert run_all(a_batcher(*calls)) == [3, 1]
    assert answers(*calls) == [[2, 4, 6], [8]]


def test_a_bad_row_fails_alone() -> None:
    def picky(_: list[str] | None, feeds: Mapping[str, Any]) -> list[Any]:
        if (feeds["x"] < 0).any():
            raise ValueError("a negative row")
        return [feeds["x"]]

    batchable = a_batchable(picky)
    calls = [a_call(batchable, 1), a_call(batchable, -2), a_call(batchable, 3)]
    run_all(a_batcher(*calls))
    assert answers(calls[0], calls[2]) == [[1], [3]]
    with pytest.raises(ValueError, match="a negative row"):
        calls[1].outcome()
    assert batchable.merges


def test_a_batch_that_fails_by_itself_ends_merging() -> None:
    def alone_only(_: list[str] | None, feeds: Mapping[str, Any]) -> list[Any]:
        if len(feeds["x"]) > 1:
            raise ValueError("too many")
        return [feeds["x"]]

    notices: list[str] = []
    batchable = a_batchable(alone_only, notices=notices)
    calls = [a_call(batchable, 1), a_call(batchable, 2)]
    run_all(a_batcher(*calls))
    assert answers(*calls) == [[1], [2]]
    assert not batchable.merges
    assert notices == [
        "calls of m.onnx are no longer merged: a batch failed whose calls went through one by one (too many)"
    ]


@pytest.mark.parametrize("output", [np.zeros(1), np.float64(0), [], {}, "text"])
def test_an_output_of_another_number_of_rows_ends_merging(output: Any) -> None:
    notices: list[str] = []

    def odd(_: list[str] | None, feeds: Mapping[str, Any]) -> list[Any]:
        return [feeds["x"], output if len(feeds["x"]) > 1 else feeds["x"]]

    batchable = a_batchable(odd, notices=notices)
    calls = [a_call(batchable, 1), a_call(batchable, 2)]
    run_all(a_batcher(*calls))
    assert answers(*calls) == [[1], [2]]
    assert notices == ["calls of m.onnx are no longer merged: 2 rows went in and another number came out"]
    later = [a_call(batchable, 1), a_call(batchable, 2)]
    assert run_all(a_batcher(*later)) == [1, 1]


def test_a_caller_whose_answer_does_not_fit_in_memory_fails_alone() -> None:
    class Full(np.ndarray[Any, Any]):
        def copy(self, *_: Any) -> Any:
            if self.tolist() == [2]:
                raise MemoryError
            return np.array(self)

    batchable = a_batchable(lambda _, feeds: [feeds["x"].view(Full)])
    calls = [a_call(batchable, 1), a_call(batchable, 2), a_call(batchable, 3)]
    run_all(a_batcher(*calls))
    assert answers(calls[0], calls[2]) == [[1], [3]]
    with pytest.raises(MemoryError):
        calls[1].outcome()


def test_callers_dont_share_memory() -> None:
    batchable = a_batchable()
    calls = [a_call(batchable, 1), a_call(batchable, 2)]
    run_all(a_batcher(*calls))
    first, second = calls[0].outcome()[0], calls[1].outcome()[0]
    first[:] = 99
    assert second.tolist() == [4]
    assert first.base is None
    assert first.flags.writeable


def test_inputs_are_matched_by_name() -> None:
    batchable = Batchable("m", lambda _, f: [f["a"] - f["b"]], max_rows=8, merges=True, why="", notice=print)
    one = Call(batchable, None, {"a": np.array([5]), "b": np.array([1])}, key="k")
    other = Call(batchable, None, {"b": np.array([2]), "a": np.array([9])}, key="k")
    run_all(a_batcher(one, other))
    assert answers(one, other) == [[4], [7]]


@pytest.fixture
def no_collections() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collections")
def test_a_failed_call_is_in_no_cycle() -> None:
    class Culprit:
        """What the exception leads to."""

    def fail(*_: Any) -> list[Any]:
        error = ValueError()
        error.culprit = culprit  # type: ignore[attr-defined]
        raise error

    culprit: Culprit | None = Culprit()
    watched = weakref.ref(culprit)
    call = a_call(a_batchable(fail), 1)
    call.run()
    assert call.failed
    culprit = None
    try:
        call.outcome()
    except ValueError:
        pass
    else:
        raise AssertionError
    assert watched() is None


def test_an_unknown_session_is_taken_for_slow() -> None:
    assert Batch([a_call(a_batchable(), 1)]).slow


def test_a_session_that_was_quick_is_quick() -> None:
    batchable = a_batchable()
    batchable.took(1, SLOW_S / 10)
    assert not Batch([a_call(batchable, 1)]).slow


def test_many_more_rows_than_usual_are_slow() -> None:
    batchable = a_batchable()
    batchable.took(1, SLOW_S / 10)
    assert Batch([a_call(batchable, *range(20))]).slow


def test_a_session_that_becomes_slow_is_found_out() -> None:
    batchable = a_batchable()
    batchable.took(1, SLOW_S / 10)
    for _ in range(10):
        batchable.took(1, SLOW_S * 2)
    assert batchable.is_slow(1)


def test_a_session_whose_first_call_had_no_rows_is_judged_all_the_same() -> None:
    batchable = a_batchable()
    batchable.took(0, SLOW_S / 10)
    assert not batchable.is_slow(1)
    assert batchable.is_slow(20)


def test_a_batch_tells_how_long_it_took() -> None:
    told = []

    class Watched(Batchable):
        def took(self, rows: int, seconds: float) -> None:
            told.append((rows, seconds))

    batchable = Watched("m", double, max_rows=64, merges=True, why="", notice=print)
    run_all(a_batcher(a_call(batchable, 1), a_call(batchable, 2)))
    [(rows, seconds)] = told
    assert rows == 2
    assert 0 < seconds < 10


def test_calls_are_added_from_many_threads_while_one_takes() -> None:
    batchable = a_batchable(max_rows=8)
    batcher = a_batcher()
    calls = [[a_call(batchable, n, key=str(n % 3)) for n in range(200)] for _ in range(4)]
    threads = [threading.Thread(target=lambda mine=mine: [batcher.add(call) for call in mine]) for mine in calls]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads) or batcher.pending:
        run_all(batcher)
    for mine in calls:
        assert answers(*mine) == [[2 * n] for n in range(200)]


Plan = list[tuple[str | None, int]]

plans = st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(1, 9)), min_size=1, max_size=30)


def waiting_calls(plan: Plan, max_rows: int) -> tuple[list[Call], deque[Call]]:
    batchable = a_batchable(max_rows=max_rows)
    calls = [a_call(batchable, *range(rows), key=key) for key, rows in plan]
    return calls, deque(calls)


@given(plan=plans, max_rows=st.integers(1, 12))
def test_the_oldest_goes_first_with_what_fits(plan: Plan, max_rows: int) -> None:
    calls, waiting = waiting_calls(plan, max_rows)
    chosen = choose(waiting)
    assert chosen[0] is calls[0]
    assert len({call.key for call in chosen}) == 1
    assert len(chosen) == 1 or sum(call.rows for call in chosen) <= max_rows
    assert chosen[0].key is not None or len(chosen) == 1


@given(plan=plans, max_rows=st.integers(1, 12))
def test_none_is_lost_and_the_rest_keep_their_order(plan: Plan, max_rows: int) -> None:
    calls, waiting = waiting_calls(plan, max_rows)
    chosen = choose(waiting)
    taken = set(map(id, chosen))
    assert list(waiting) == [call for call in calls if id(call) not in taken]
    assert chosen == [call for call in calls if id(call) in taken]


@given(plan=plans, max_rows=st.integers(2, 12))
def test_what_would_fit_is_not_left_behind(plan: Plan, max_rows: int) -> None:
    _, waiting = waiting_calls(plan, max_rows)
    chosen = choose(waiting)
    if chosen[0].key is not None:
        room = max_rows - sum(call.rows for call in chosen)
        assert all(call.key != chosen[0].key or call.rows > room for call in waiting)


@given(plan=plans, max_rows=st.integers(1, 12))
def test_every_call_is_answered_as_it_would_be_alone(plan: Plan, max_rows: int) -> None:
    calls, waiting = waiting_calls(plan, max_rows)
    batcher = a_batcher(*waiting)
    run_all(batcher)
    assert answers(*calls) == [[2 * value for value in range(rows)] for _, rows in plan]


@given(plan=plans)
def test_a_session_that_no_longer_merges_runs_each_alone(plan: Plan) -> None:
    _, waiting = waiting_calls(plan, 12)
    waiting[0].session.stop_merging("why not")
    assert len(choose(waiting)) == 1
