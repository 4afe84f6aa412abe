from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import helper

from tests.worker.models import (
    INT64,
    config,
    dynamic_quantized,
    minus_mean,
    mlp,
    node,
    one_node,
    save,
    strings,
    tensor,
    training_batch_normalization,
    zip_map,
)
from worker.errors import LoadFailed
from worker.onnx.batcher import Batcher, Call
from worker.onnx.binding import Binding, Device, can_bind
from worker.onnx.session import Session, open_sessions


class BatchWait:
    """Requests are threads here; batches run when a number of calls wait."""

    def __init__(self, buffers: bool) -> None:
        self.buffers = buffers
        """Whether merged calls go through buffers, as they do on a GPU."""
        self.notices: list[str] = []
        self.batcher = Batcher(self.wait, lambda: self.in_request, self.notices.append)
        self.in_request = True
        self.sizes: list[int] = []
        self._changed = threading.Condition()

    def wait(self, call: Call) -> None:
        call.waiter = done = threading.Event()
        with self._changed:
            self.batcher.add(call)
            self._changed.notify_all()
        assert done.wait(100)

    def run_together(self, *requests: Callable[[], Any]) -> list[Any]:
        """What each returned, or the exception it raised; all wait before any runs."""
        with ThreadPoolExecutor(len(requests)) as pool:
            futures = [pool.submit(request) for request in requests]
            with self._changed:
                assert self._changed.wait_for(lambda: self.batcher.pending == len(requests), 100)
            while (batch := self.batcher.take()) is not None:
                batch.run()
                self.sizes.append(batch.rows)
                for call in batch.calls:
                    call.waiter.set()
            return [future.exception() or future.result() for future in futures]


@pytest.fixture(params=[False, True], ids=["plain", "buffers"])
def batch_wait(request: pytest.FixtureRequest) -> BatchWait:
    return BatchWait(request.param)


def opened(path: Path, batch_wait: BatchWait, **changes: Any) -> Session:
    return opened_all({path.stem: path}, batch_wait, **changes)[path.stem]


def opened_all(paths: dict[str, Path], batch_wait: BatchWait, **changes: Any) -> dict[str, Session]:
    sessions = open_sessions(paths, config(**changes), batch_wait.batcher)
    for session in sessions.values():
        if batch_wait.buffers and can_bind(session._session):
            session._batchable.binding = Binding(session._session, Device("cpu"), session._batchable.max_rows)
    return sessions


def plain(path: Path) -> Any:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def rows(count: int, features: int = 4) -> list[Any]:
    values = np.sin(np.arange(count * features, dtype=np.float32)).reshape(count, 1, features)
    return list(values)


def run(session: Any, feeds: dict[str, Any], names: list[str] | None = None) -> Callable[[], Any]:
    return lambda: session.run(names, feeds)


def test_merged_calls_answer_as_alone(tmp_path: Path, batch_wait: BatchWait) -> None:
    path = mlp(tmp_path / "m.onnx")
    session, alone = opened(path, batch_wait), plain(path)
    together = batch_wait.run_together(*(run(session, {"x": row}) for row in rows(20)))
    assert batch_wait.sizes == [20]
    for row, (probabilities, label) in zip(rows(20), together, strict=True):
        expected, expected_label = alone.run(None, {"x": row})
        np.testing.assert_allclose(probabilities, expected, rtol=1e-5)
        assert label == expected_label
        assert label.shape == (1,)


MODELS_THAT_COUPLE = {
    "mean of all rows": minus_mean,
    "softmax over rows": lambda path: one_node(path, "Softmax", axis=0),
    "sum so far": lambda path: one_node(path, "CumSum", weights={"axis": np.int64(0)}),
    "dynamic quantisation": dynamic_quantized,
    "batch statistics": training_batch_normalization,
}


@pytest.mark.parametrize("model", MODELS_THAT_COUPLE.values(), ids=MODELS_THAT_COUPLE)
def test_calls_of_models_that_couple_rows_answer_as_alone(tmp_path: Path, batch_wait: BatchWait, model: Any) -> None:
    path = model(tmp_path / "m.onnx")
    session, alone = opened(path, batch_wait), plain(path)
    assert not session.merging.merged
    make_slow(session)
    together = batch_wait.run_together(*(run(session, {"x": row}) for row in rows(5)))
    assert batch_wait.sizes == [1] * 5
    for row, [output] in zip(rows(5), together, strict=True):
        np.testing.assert_array_equal(output, alone.run(None, {"x": row})[0])


def make_slow(session: Session) -> None:
    for _ in range(50):
        session._batchable.took(1, 1.0)


def test_strings_are_merged(tmp_path: Path, batch_wait: BatchWait) -> None:
    session = opened(strings(tmp_path / "m.onnx"), batch_wait)
    cities = [np.array(["Rome"]), np.array(["Bonn"]), np.array(["Bonn", "Rome"], dtype="U20")]
    together = batch_wait.run_together(*(run(session, {"city": city}) for city in cities))
    assert batch_wait.sizes == [4]
    assert [output.tolist() for [output] in together] == [[[0, 1]], [[1, 0]], [[1, 0], [0, 1]]]


def test_a_bad_row_fails_alone(tmp_path: Path, batch_wait: BatchWait) -> None:
    session = opened(strings(tmp_path / "m.onnx"), batch_wait)
    cities = ["Rome", "Atlantis", "Bonn"]
    first, second, third = batch_wait.run_together(*(run(session, {"city": np.array([city])}) for city in cities))
    assert (first[0].tolist(), third[0].tolist()) == ([[0, 1]], [[1, 0]])
    assert isinstance(second, Exception)
    assert session.merging.merged


def two_inputs(path: Path) -> Path:
    return save(
        path,
        [node("Sub", ["a", "b"], ["c"]), node("Neg", ["b"], ["d"])],
        [tensor("a", ["N", 2]), tensor("b", ["N", "F"])],
        [tensor("c", ["N", 2]), tensor("d", ["N", "F"])],
    )


def test_calls_for_other_outputs_or_of_other_shapes_dont_fit(tmp_path: Path, batch_wait: BatchWait) -> None:
    session = opened(two_inputs(tmp_path / "m.onnx"), batch_wait)
    assert session.merging.merged is False  # its made-up rows are 5 wide, and 2 - 5 can't be
    session._batchable.merges = True
    a, narrow, wide = np.ones((1, 2), np.float32), np.ones((1, 1), np.float32), np.ones((1, 2), np.float32)
    batch_wait.run_together(
        run(session, {"a": a, "b": narrow}),
        run(session, {"a": a, "b": wide}),
        run(session, {"b": wide, "a": a}),
        run(session, {"a": a, "b": wide}, ["d"]),
        run(session, {"a": a, "b": wide}, ["d", "c"]),
    )
    assert sorted(batch_wait.sizes) == [1, 1, 1, 2]


def test_a_call_of_another_type_or_with_uneven_inputs_runs_alone(tmp_path: Path, batch_wait: BatchWait) -> None:
    session = opened(two_inputs(tmp_path / "m.onnx"), batch_wait)
    session._batchable.merges = True
    one, two = np.ones((1, 2), np.float32), np.ones((2, 2), np.float32)
    make_slow(session)
    outcomes = batch_wait.run_together(
        run(session, {"a": one, "b": two}),
        run(session, {"a": two, "b": one}),
        run(session, {"a": one, "b": one.astype(float)}),
        run(session, {"a": one, "b": one}),
    )
    assert len(batch_wait.sizes) == 4
    assert [c.shape for c, _ in (outcomes[0], outcomes[1], outcomes[3])] == [(2, 2), (2, 2), (1, 2)]


def test_outputs_come_in_the_order_asked_for(tmp_path: Path, batch_wait: BatchWait) -> None:
    session = opened(mlp(tmp_path / "m.onnx"), batch_wait)
    together = batch_wait.run_together(*(run(session, {"x": row}, ["label", "p"]) for row in rows(2)))
    assert [[each.dtype.kind for each in outputs] for outputs in together] == [["i", "f"]] * 2


def test_batches_hold_no_more_than_max_batch_rows(tmp_path: Path, batch_wait: BatchWait) -> None:
    session = opened(mlp(tmp_path / "m.onnx"), batch_wait, max_batch=8)
    batch_wait.run_together(*(run(session, {"x": row}) for row in rows(20)))
    assert batch_wait.sizes == [8, 8, 4]


def test_one_row_at_a_time_where_max_batch_says_so(tmp_path: Path, batch_wait: BatchWait) -> None:
    session = opened(mlp(tmp_path / "m.onnx"), batch_wait, max_batch=1)
    assert session.merging.why == "max_batch is 1"


def test_outside_a_request_it_runs_at_once(tmp_path: Path, batch_wait: BatchWait) -> None:
    session = opened(mlp(tmp_path / "m.onnx"), batch_wait)
    batch_wait.in_request = False
    probabilities, _ = session.run(None, {"x": rows(1)[0]})
    assert probabilities.shape == (1, 3)
    assert batch_wait.batcher.pending == 0


def test_with_run_options_it_runs_at_once(tmp_path: Path, batch_wait: BatchWait) -> None:
    session = opened(mlp(tmp_path / "m.onnx"), batch_wait)
    assert len(session.run(["p"], {"x": rows(1)[0]}, onnxruntime.RunOptions())) == 1


def test_a_quick_call_that_cant_be_merged_runs_at_once(tmp_path: Path, batch_wait: BatchWait) -> None:
    session = opened(zip_map(tmp_path / "m.onnx"), batch_wait)
    for _ in range(50):
        session._batchable.took(1, 0.0)
    [[row]] = session.run(None, {"x": rows(1)[0]})
    assert set(row) == {0, 1, 2, 3}


ODD_CALLS: dict[str, Any] = {
    "no feeds": {},
    "an unknown input": {"x": np.zeros((1, 4), np.float32), "z": np.zeros(1)},
    "another name": {"z": np.zeros((1, 4), np.float32)},
    "doubles": {"x": np.zeros((1, 4))},
    "too many features": {"x": np.zeros((1, 5), np.float32)},
    "a missing dimension": {"x": np.zeros(4, np.float32)},
    "a scalar": {"x": np.float32(1)},
    "no rows": {"x": np.zeros((0, 4), np.float32)},
    "a list": {"x": [[0.0] * 4]},
    "other byte order": {"x": np.zeros((1, 4), ">f4")},
    "an array of its own kind": {"x": np.ma.masked_array(np.zeros((1, 4), np.float32))},
    "none": {"x": None},
}


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return [np.asarray(each).tolist() for each in call()]
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize("feeds", ODD_CALLS.values(), ids=ODD_CALLS)
def test_odd_calls_do_what_they_do_in_onnx_runtime(tmp_path: Path, batch_wait: BatchWait, feeds: Any) -> None:
    path = mlp(tmp_path / "m.onnx")
    session = opened(path, batch_wait)
    batch_wait.in_request = False
    expected = outcome(run(plain(path), feeds))
    assert outcome(run(session, feeds)) == expected
    batch_wait.in_request = True
    make_slow(session)
    [parked] = batch_wait.run_together(lambda: outcome(run(session, feeds)))
    assert parked == expected


def test_unknown_outputs_are_refused_as_by_onnx_runtime(tmp_path: Path, batch_wait: BatchWait) -> None:
    path = mlp(tmp_path / "m.onnx")
    session = opened(path, batch_wait)
    make_slow(session)
    [parked] = batch_wait.run_together(lambda: outcome(run(session, {"x": rows(1)[0]}, ["q"])))
    assert parked == outcome(run(plain(path), {"x": rows(1)[0]}, ["q"]))


def test_it_tells_what_onnx_runtime_tells(tmp_path: Path, batch_wait: BatchWait) -> None:
    path = mlp(tmp_path / "m.onnx")
    session, alone = opened(path, batch_wait), plain(path)
    assert [each.name for each in session.get_inputs()] == ["x"]
    assert [each.name for each in session.get_outputs()] == ["p", "label"]
    assert session.get_providers() == alone.get_providers()
    assert session.get_modelmeta().graph_name == alone.get_modelmeta().graph_name
    assert not hasattr(session, "get_nonsense")


def test_merging_says_why_and_on_what(tmp_path: Path, batch_wait: BatchWait) -> None:
    merging = opened(mlp(tmp_path / "m.onnx"), batch_wait).merging
    assert (merging.session, merging.merged, merging.provider) == ("m", True, "CPUExecutionProvider")
    refused = opened(dynamic_quantized(tmp_path / "q.onnx"), batch_wait).merging
    assert (refused.merged, refused.why) == (
        False,
        "operator DynamicQuantizeLinear takes its scale from all rows together",
    )


def test_a_batch_of_two_merges(tmp_path: Path, batch_wait: BatchWait) -> None:
    session = opened(mlp(tmp_path / "m.onnx"), batch_wait, max_batch=2)
    assert session.merging.merged
    batch_wait.run_together(*(run(session, {"x": row}) for row in rows(4)))
    assert batch_wait.sizes == [2, 2]


def test_a_batch_of_one_does_not(tmp_path: Path, batch_wait: BatchWait) -> None:
    merging = opened(mlp(tmp_path / "m.onnx"), batch_wait, max_batch=1).merging
    assert (merging.merged, merging.why) == (False, "max_batch is 1")


def first_four(path: Path) -> Path:
    """As it is for up to four rows; of more, some are left out."""
    nodes = [node("Slice", ["x", "start", "end"], ["y"])]
    weights = {"start": np.array([0]), "end": np.array([4])}
    return save(path, nodes, [tensor("x", ["N", 4])], [tensor("y", ["M", 4])], weights)


def test_a_batch_that_loses_rows_runs_again_call_by_call(tmp_path: Path, batch_wait: BatchWait) -> None:
    session = opened(first_four(tmp_path / "m.onnx"), batch_wait)
    session._batchable.merges = True  # as if what is known of its operator were wrong
    for _ in range(2 if batch_wait.buffers else 1):  # the first failure is laid to the buffers
        together = batch_wait.run_together(*(run(session, {"x": row}) for row in rows(6)))
        for row, [output] in zip(rows(6), together, strict=True):
            np.testing.assert_array_equal(output, row)
    assert not session.merging.merged
    assert batch_wait.notices[-1] == f"calls of m.onnx are no longer merged: {session.merging.why}"


def test_several_files_go_by_their_stems(tmp_path: Path, batch_wait: BatchWait) -> None:
    paths = {stem: mlp(tmp_path / f"{stem}.onnx") for stem in ("a", "b")}
    assert list(opened_all(paths, batch_wait)) == ["a", "b"]


def test_calls_of_other_sessions_dont_fit(tmp_path: Path, batch_wait: BatchWait) -> None:
    paths = {stem: mlp(tmp_path / f"{stem}.onnx") for stem in ("a", "b")}
    a, b = opened_all(paths, batch_wait).values()
    batch_wait.run_together(run(a, {"x": rows(1)[0]}), run(b, {"x": rows(1)[0]}))
    assert batch_wait.sizes == [1, 1]


def test_what_is_no_model_is_named(tmp_path: Path, batch_wait: BatchWait) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"hello world, this is not a model")
    with pytest.raises(LoadFailed, match=r"broken\.onnx is not an ONNX model"):
        opened(path, batch_wait)


def test_an_opset_of_the_future_is_named(
    tmp_path: Path, batch_wait: BatchWait, capfd: pytest.CaptureFixture[str]
) -> None:
    path = save(
        tmp_path / "new.onnx",
        [node("Identity", ["x"], ["y"], domain="ai.onnx.ml")],
        [tensor("x", ["N"])],
        [tensor("y", ["N"])],
        opsets=[helper.make_opsetid("ai.onnx.training", 999)],
    )
    with pytest.raises(LoadFailed, match=r"new\.onnx can't be opened by ONNX Runtime .* export it with an older one"):
        opened(path, batch_wait)
    assert capfd.readouterr().err == ""


def test_an_unknown_operator_is_named(tmp_path: Path, batch_wait: BatchWait) -> None:
    path = one_node(tmp_path / "m.onnx", "Teleport")
    with pytest.raises(LoadFailed, match="Teleport"):
        opened(path, batch_wait)


def test_an_old_model_leaves_nothing_on_stderr(
    tmp_path: Path, batch_wait: BatchWait, capfd: pytest.CaptureFixture[str]
) -> None:
    path = save(
        tmp_path / "m.onnx",
        [node("Identity", ["x"], ["y"])],
        [tensor("x", ["N"]), tensor("w", [1])],
        [tensor("y", ["N"])],
        {"w": np.ones(1, np.float32)},
    )
    opened(path, batch_wait)
    assert capfd.readouterr() == ("", "")


def test_whole_numbers_are_merged(tmp_path: Path, batch_wait: BatchWait) -> None:
    weights = {"table": np.arange(6, dtype=np.float32).reshape(3, 2)}
    path = save(
        tmp_path / "m.onnx",
        [node("Gather", ["table", "i"], ["y"])],
        [tensor("i", ["N"], INT64)],
        [tensor("y", ["N", 2])],
        weights,
    )
    session = opened(path, batch_wait)
    together = batch_wait.run_together(*(run(session, {"i": np.array([i])}) for i in range(3)))
    assert batch_wait.sizes == [3]
    assert sorted(output.tolist() for [output] in together) == [[[0, 1]], [[2, 3]], [[4, 5]]]
