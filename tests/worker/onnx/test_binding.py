"""On the CPU: what differs on a GPU is where the buffers are."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto

from tests.worker.models import INT64, mlp, node, one_node, save, strings, tensor
from worker.onnx.batchable import Batchable
from worker.onnx.batcher import Batch, Call
from worker.onnx.binding import MOST_SHAPES, Binding, Device, can_bind, sizes_up_to
from worker.onnx.graph.graph import read_graph
from worker.onnx.open_file import Opened
from worker.onnx.session import _why_apart, _why_apart_bound
from worker.onnx.signature import Signature

CPU = Device("cpu")


class Watched:
    """A session that tells how many buffers were made for it, and can be broken."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        self.plain = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.made: list[list[int]] = []
        self.broken = False

    def create_ortvalue_from_shape_and_type(self, shape: list[int], *more: Any) -> Any:
        self.made.append(shape)
        return self.plain.create_ortvalue_from_shape_and_type(shape, *more)

    def run_with_iobinding(self, binding: Any) -> None:
        if self.broken:
            raise RuntimeError("no such buffers")
        self.plain.run_with_iobinding(binding)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)


class Bound:
    """A session, how the batcher sees it, and its buffers."""

    def __init__(self, path: Path, *, max_rows: int = 64, **options: Any) -> None:
        self.session = Watched(path)
        self.notices: list[str] = []
        self.batchable = Batchable(
            "m", self.session.run, max_rows=max_rows, merges=True, why="", notice=self.notices.append
        )
        self.binding = self.batchable.binding = Binding(self.session, CPU, max_rows, **options)
        self.signature = Signature(self.session.get_inputs(), self.session.get_outputs())

    def call(self, feeds: dict[str, Any], names: Sequence[str] | None = None) -> Call:
        fit = self.signature.fit(names, feeds)
        assert fit is not None
        form, rows = fit
        return Call(self.batchable, form.outputs, feeds, rows, form)

    def run(self, *given: dict[str, Any], names: Sequence[str] | None = None) -> list[list[Any]]:
        """Each call's results, of calls that ran as one batch."""
        calls = [self.call(feeds, names) for feeds in given]
        Batch(calls).run()
        return [call.outcome() for call in calls]

    def check(self, *given: dict[str, Any], names: Sequence[str] | None = None) -> None:
        """Hold each call's results to those of a run of its own."""
        for feeds, results in zip(given, self.run(*given, names=names), strict=True):
            expected = self.session.plain.run(names, feeds)
            assert [each.dtype for each in results] == [each.dtype for each in expected]
            for result, right in zip(results, expected, strict=True):
                np.testing.assert_allclose(result, right, rtol=1e-5)


def x(rows: int, *, features: int = 4, start: int = 0) -> dict[str, Any]:
    values = np.sin(np.arange(start, start + rows * features, dtype=np.float32))
    return {"x": values.reshape(rows, features)}


@given(st.integers(1, 5000))
def test_sizes_double_up_to_the_largest_batch(max_rows: int) -> None:
    sizes = sizes_up_to(max_rows)
    assert list(sizes) == sorted(set(sizes))
    assert (sizes[0], sizes[-1]) == (1, max_rows)
    assert all(larger <= 2 * smaller for smaller, larger in itertools.pairwise(sizes))


@pytest.mark.parametrize("counts", [[1], [3], [1, 1], [1, 2, 4], [5], [1] * 64, [33], [64]])
def test_batches_of_any_size_answer_as_alone(tmp_path: Path, counts: list[int]) -> None:
    bound = Bound(mlp(tmp_path / "m.onnx"))
    bound.check(*(x(rows, start=7 * index) for index, rows in enumerate(counts)))
    assert bound.session.made == [[next(s for s in sizes_up_to(64) if s >= sum(counts)), 4]]


def test_a_lone_call_need_not_be_contiguous(tmp_path: Path) -> None:
    bound = Bound(mlp(tmp_path / "m.onnx"))
    bound.check({"x": np.asfortranarray(x(4)["x"])})
    bound.check({"x": x(2, features=8)["x"][:, ::2]})
    bound.check({"x": x(3, features=8)["x"][:, ::2]})


def test_buffers_are_kept_from_batch_to_batch(tmp_path: Path) -> None:
    bound = Bound(mlp(tmp_path / "m.onnx"))
    for rows in (3, 4, 7, 3, 8, 1, 4):
        bound.check(x(rows, start=rows))
    assert bound.session.made == [[4, 4], [8, 4], [1, 4]]


def test_what_a_caller_has_not_read_yet_outlasts_other_batches(tmp_path: Path) -> None:
    """An output of unknown shape may lie in the buffer of the input that it is."""
    nodes, given = [node("Relu", ["x"], ["y"])], [tensor("x", ["N", "M"])]
    bound = Bound(save(tmp_path / "m.onnx", nodes, given, [*given, tensor("y", ["N", "M"])]))
    feeds = [x(2, start=7 * index) for index in range(20)]
    calls = [bound.call(each) for each in feeds]
    for call in calls:
        Batch([call]).run()
    for each, call in zip(feeds, calls, strict=True):
        same, positive = call.outcome()
        assert same.tolist() == each["x"].tolist()
        assert positive.tolist() == np.maximum(each["x"], 0).tolist()


def test_outputs_come_as_asked_for(tmp_path: Path) -> None:
    bound = Bound(mlp(tmp_path / "m.onnx"))
    for names in (["label", "p"], ["p"], ["label"], None):
        bound.check(x(1), x(2, start=5), names=names)


def test_an_output_asked_for_twice_has_no_buffers(tmp_path: Path) -> None:
    bound = Bound(mlp(tmp_path / "m.onnx"))
    bound.check(x(1), x(2), names=["p", "p"])
    assert bound.session.made == []


def two_inputs(path: Path) -> Path:
    return save(
        path,
        [node("Sub", ["a", "b"], ["c"]), node("Neg", ["b"], ["d"])],
        [tensor("a", ["N", 2]), tensor("b", ["N", "F"])],
        [tensor("c", ["N", 2]), tensor("d", ["N", "F"])],
    )


@pytest.mark.parametrize("names", [None, ["d", "c"], ["d"], ["c"]])
def test_several_inputs_and_outputs_of_known_and_unknown_shapes(tmp_path: Path, names: list[str] | None) -> None:
    bound = Bound(two_inputs(tmp_path / "m.onnx"))
    for width in (1, 2, 1):
        a, b = x(3, features=2)["x"], x(3, features=width, start=9)["x"]
        bound.check({"a": a, "b": b}, {"b": b[:2], "a": a[:2]}, names=names)
        bound.check({"a": a[:1], "b": b[:1]}, names=names)


def test_a_shape_that_only_the_run_tells_may_differ_from_run_to_run(tmp_path: Path) -> None:
    """As many columns as the first row has positive numbers."""
    nodes = [
        node("Slice", ["x", "zero", "one"], ["first"]),
        node("Squeeze", ["first", "zero"], ["numbers"]),
        node("Greater", ["numbers", "nought"], ["positive"]),
        node("Compress", ["x", "positive"], ["y"], axis=1),
    ]
    weights = {"zero": np.array([0]), "one": np.array([1]), "nought": np.float32(0)}
    path = save(tmp_path / "m.onnx", nodes, [tensor("x", ["N", 4])], [tensor("y", ["N", "M"])], weights)
    bound = Bound(path)
    for positive in (4, 1, 0, 3):
        row = np.array([[1.0] * positive + [-1.0] * (4 - positive)], np.float32)
        [[first], [second]] = bound.run({"x": row}, {"x": np.repeat(2 * row, 2, axis=0)})
        assert first.tolist() == [[1.0] * positive]
        assert second.tolist() == [[2.0] * positive] * 2
    assert bound.session.made == [[4, 4]]


TYPES = {
    np.float16: TensorProto.FLOAT16,
    np.float64: TensorProto.DOUBLE,
    np.int8: TensorProto.INT8,
    np.uint8: TensorProto.UINT8,
    np.int32: TensorProto.INT32,
    np.uint64: TensorProto.UINT64,
    np.bool_: TensorProto.BOOL,
}


@pytest.mark.parametrize(("dtype", "type"), TYPES.items(), ids=[each.__name__ for each in TYPES])
def test_numbers_of_every_type_go_through_buffers(tmp_path: Path, dtype: Any, type: int) -> None:
    path = save(
        tmp_path / "m.onnx", [node("Identity", ["x"], ["y"])], [tensor("x", ["N", 2], type)],
        [tensor("y", ["N", 2], type)],
    )  # fmt: skip
    bound = Bound(path)
    bound.check({"x": np.array([[0, 1]], dtype)}, {"x": np.array([[1, 1], [1, 0]], dtype)})
    assert bound.session.made == [[4, 2]]


def test_texts_have_no_buffers(tmp_path: Path) -> None:
    assert not can_bind(Watched(strings(tmp_path / "s.onnx")))
    assert can_bind(Watched(mlp(tmp_path / "m.onnx")))


def looks_up(path: Path) -> Path:
    weights = {"table": np.arange(6, dtype=np.float32).reshape(3, 2)}
    nodes = [node("Gather", ["table", "i"], ["y"])]
    return save(path, nodes, [tensor("i", ["N"], INT64)], [tensor("y", ["N", 2])], weights)


def test_a_bad_row_fails_alone_and_leaves_nothing_behind(tmp_path: Path) -> None:
    bound = Bound(looks_up(tmp_path / "m.onnx"))
    good, bad = [bound.call({"i": np.array([i])}) for i in (0, 1, 2)], bound.call({"i": np.array([99])})
    Batch([*good, bad]).run()
    assert [call.outcome()[0].tolist() for call in good] == [[[0, 1]], [[2, 3]], [[4, 5]]]
    with pytest.raises(Exception, match="indices element out of data bounds"):
        bad.outcome()
    # Were it still in the last of four rows, these three would fail with it.
    made = len(bound.session.made)
    bound.check(*({"i": np.array([i])} for i in (2, 1, 0)))
    assert len(bound.session.made) == made
    assert bound.batchable.binding is bound.binding
    assert bound.notices == []


def test_answers_share_no_memory_with_the_buffers(tmp_path: Path) -> None:
    bound = Bound(mlp(tmp_path / "m.onnx"))
    [first] = bound.run(x(2))
    kept = [each.copy() for each in first]
    bound.run(x(2, start=50))
    for each, before in zip(first, kept, strict=True):
        np.testing.assert_array_equal(each, before)
        assert each.base is None


def test_a_call_larger_than_a_batch_goes_without(tmp_path: Path) -> None:
    bound = Bound(mlp(tmp_path / "m.onnx"), max_rows=6)
    bound.check(x(6))
    bound.check(x(7))
    assert bound.session.made == [[6, 4]]
    assert bound.notices == []


def test_buffers_that_would_be_too_large_are_not_made(tmp_path: Path) -> None:
    bound = Bound(mlp(tmp_path / "m.onnx"), most_bytes=280)  # a row takes 16 bytes in and 20 out
    bound.check(x(1), x(1))
    bound.check(x(8))
    assert bound.session.made == [[2, 4]]


def test_what_was_used_longest_ago_makes_room(tmp_path: Path) -> None:
    bound = Bound(mlp(tmp_path / "m.onnx"), most_bytes=280)
    for rows in (1, 2, 4, 1, 2):
        bound.check(x(rows))
    assert bound.session.made == [[1, 4], [2, 4], [4, 4]]
    bound.check(x(1))
    for rows in (3, 1, 5, 1):
        bound.check(x(rows))
    assert bound.session.made == [[1, 4], [2, 4], [4, 4]]
    tighter = Bound(mlp(tmp_path / "m.onnx"), most_bytes=210)
    for rows in (1, 4, 1, 2, 1, 4):
        tighter.check(x(rows))
    assert tighter.session.made == [[1, 4], [4, 4], [2, 4], [4, 4]]


def of_any_width(path: Path) -> Path:
    return save(path, [node("Neg", ["x"], ["y"])], [tensor("x", ["N", "F"])], [tensor("y", ["N", "F"])])


def test_however_many_shapes_come_few_are_kept(tmp_path: Path) -> None:
    bound = Bound(of_any_width(tmp_path / "m.onnx"))
    for features in range(1, 2 * MOST_SHAPES):
        bound.check(x(1, features=features))
    assert len(bound.binding._buffers) == MOST_SHAPES


def test_rows_without_numbers_in_them_go_without(tmp_path: Path) -> None:
    bound = Bound(of_any_width(tmp_path / "m.onnx"))
    bound.check({"x": np.zeros((2, 0), np.float32)})
    assert bound.session.made == []


def loses_rows(path: Path, *, told: bool) -> Path:
    """As it is for up to four rows."""
    weights = {"start": np.array([0]), "end": np.array([4])}
    columns: Any = 4 if told else "F"
    nodes = [node("Slice", ["x", "start", "end"], ["y"])]
    return save(path, nodes, [tensor("x", ["N", columns])], [tensor("y", ["M", columns])], weights)


@pytest.mark.parametrize("told", [True, False], ids=["known shape", "unknown shape"])
@pytest.mark.parametrize("rows", [5, 8])
def test_a_batch_that_loses_rows_runs_again_call_by_call(tmp_path: Path, told: bool, rows: int) -> None:
    bound = Bound(loses_rows(tmp_path / "m.onnx", told=told))
    for _ in range(2):
        bound.check(*(x(1, start=index) for index in range(rows)))
    assert not bound.batchable.merges
    assert bound.batchable.binding is None
    assert bound.notices[-1].startswith("calls of m.onnx are no longer merged: ")


def test_as_many_rows_as_went_in_may_be_others_where_there_was_padding(tmp_path: Path) -> None:
    """Of four rows this gives the last three, which of three are all."""
    weights = {"start": np.array([-3]), "end": np.array([100])}
    nodes = [node("Slice", ["x", "start", "end"], ["y"])]
    bound = Bound(save(tmp_path / "m.onnx", nodes, [tensor("x", ["N", "F"])], [tensor("y", ["M", "F"])], weights))
    bound.check(x(1), x(1, start=4), x(1, start=8))


def test_buffers_that_fail_are_given_up_and_merging_goes_on(tmp_path: Path) -> None:
    bound = Bound(mlp(tmp_path / "m.onnx"))
    bound.session.broken = True
    bound.check(x(1), x(2))
    assert bound.batchable.binding is None
    assert bound.batchable.merges
    assert bound.notices == ["batches of m.onnx no longer go through buffers that are kept: no such buffers"]
    bound.check(x(1), x(2))


def test_batches_may_run_in_one_thread_after_another(tmp_path: Path) -> None:
    bound = Bound(mlp(tmp_path / "m.onnx"))
    for number in range(8):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(bound.check, x(1, start=number), x(2)).result()
    assert bound.session.made == [[4, 4]]


def tried(path: Path, *, broken: bool = False, max_rows: int = 24) -> tuple[Bound, str | None]:
    """As a session is while it is loaded, and why its calls run one by one."""
    bound = Bound(path, max_rows=max_rows)
    bound.session.broken = broken
    opened = Opened(bound.session, device=CPU)
    return bound, _why_apart(read_graph(path), opened, bound.batchable, bound.signature)


def test_every_size_is_tried_while_loading(tmp_path: Path) -> None:
    bound, problem = tried(mlp(tmp_path / "m.onnx"))
    assert problem is None
    assert sorted(bound.session.made) == [[size, 4] for size in (1, 2, 4, 8, 16, 24)]
    assert bound.notices == []
    bound.check(x(20))
    assert len(bound.session.made) == 6


def test_buffers_that_fail_while_loading_are_given_up_and_calls_merge(tmp_path: Path) -> None:
    bound, problem = tried(mlp(tmp_path / "m.onnx"), broken=True)
    assert problem is None
    assert bound.batchable.binding is None
    [told] = bound.notices
    assert told.startswith("batches of m.onnx no longer go through buffers")
    assert told.endswith("no such buffers")


@pytest.mark.parametrize("told", [True, False], ids=["known shape", "unknown shape"])
def test_rows_that_are_lost_in_a_larger_batch_are_found_while_loading(tmp_path: Path, told: bool) -> None:
    path = loses_rows(tmp_path / "m.onnx", told=told)
    bound = Bound(path, max_rows=24)
    problem = _why_apart_bound(read_graph(path), bound.session, bound.batchable, (1, 2, 4, 8, 16, 24), bound.signature)
    assert bound.batchable.binding is None
    assert problem == "rows in a batch of 8 differ from rows apart (output 0 has 4 rows for 8)"
    assert bound.notices == []


def test_a_model_whose_calls_are_not_merged_has_no_buffers(tmp_path: Path) -> None:
    halves = one_node(tmp_path / "m.onnx", "Reshape", output=("M", 2), weights={"shape": np.array([-1, 2])})
    bound, problem = tried(halves)
    assert problem == "one row in does not give one row out"
    assert bound.batchable.binding is None
    assert bound.notices == []
