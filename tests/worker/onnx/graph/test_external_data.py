from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.worker.models import config, node, save, tensor
from worker.errors import LoadFailed
from worker.onnx.batcher import Batcher
from worker.onnx.session import open_sessions

WEIGHTS = np.arange(4000, dtype=np.float32).reshape(4, 1000)


def with_data_outside(folder: Path, location: str = "m.onnx.data") -> Path:
    """A model whose weights lie in another file."""
    path = save(
        folder / "m.onnx",
        [node("MatMul", ["x", "w"], ["y"])],
        [tensor("x", ["N", 4])],
        [tensor("y", ["N", 1000])],
        {"w": WEIGHTS},
    )
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, location="m.onnx.data", size_threshold=0)
    if location != "m.onnx.data":
        renamed = onnx.load(path, load_external_data=False)
        for entry in renamed.graph.initializer[0].external_data:
            if entry.key == "location":
                entry.value = location
        path.write_bytes(renamed.SerializeToString())
    return path


def opened(path: Path) -> Any:
    return open_sessions({"m": path}, config(), Batcher(lambda call: None, lambda: False))["m"]


def refusal(path: Path) -> str:
    with pytest.raises(LoadFailed) as caught:
        opened(path)
    assert "opset" not in str(caught.value)
    assert not caught.value.heals
    return str(caught.value)


def test_weights_in_another_file_are_read(tmp_path: Path) -> None:
    session = opened(with_data_outside(tmp_path))
    assert session.merging.merged
    [y] = session.run(None, {"x": np.ones((1, 4), np.float32)})
    np.testing.assert_allclose(y[0], WEIGHTS.sum(axis=0))


def test_a_file_that_was_not_pushed_is_named(tmp_path: Path) -> None:
    path = with_data_outside(tmp_path)
    (tmp_path / "m.onnx.data").unlink()
    assert refusal(path).startswith("m.onnx keeps weights in m.onnx.data, which is not there: push that file too")


def test_a_pointer_in_its_place_is_told_from_it(tmp_path: Path) -> None:
    path = with_data_outside(tmp_path)
    (tmp_path / "m.onnx.data").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 16000\n")
    assert "m.onnx.data, which is a Git LFS pointer" in refusal(path)


@pytest.mark.parametrize("left", [0, 15_999])
def test_a_file_that_was_cut_short_is_named(tmp_path: Path, left: int) -> None:
    path = with_data_outside(tmp_path)
    data = (tmp_path / "m.onnx.data").read_bytes()
    (tmp_path / "m.onnx.data").write_bytes(data[:left])
    assert f"m.onnx.data, which has {left:,} bytes where 16,000 are needed" in refusal(path)


@pytest.mark.parametrize("location", ["../m.onnx.data", "/etc/passwd", "a/../../m.onnx.data"])
def test_a_file_outside_the_folder_is_refused(tmp_path: Path, location: str) -> None:
    assert f"{location}, which lies outside the model's folder" in refusal(with_data_outside(tmp_path, location))


def test_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    path = with_data_outside(tmp_path)
    (tmp_path / "m.onnx.data").unlink()
    (tmp_path / "m.onnx.data").mkdir()
    assert "m.onnx.data, which can't be read: Is a directory" in refusal(path)


def test_weights_of_a_branch_are_found_too(tmp_path: Path) -> None:
    weights = numpy_helper.from_array(WEIGHTS[:, :4].copy(), "w")
    onnx.external_data_helper.set_external_data(weights, "branch.data", 0, 64)
    weights.ClearField("raw_data")
    then = helper.make_graph([node("MatMul", ["x", "w"], ["t"])], "then", [], [tensor("t", ["N", 4])], [weights])
    other = helper.make_graph([node("Neg", ["x"], ["e"])], "else", [], [tensor("e", ["N", 4])])
    nodes = [
        node("Constant", [], ["c"], value=helper.make_tensor("v", onnx.TensorProto.BOOL, [], [True])),
        node("If", ["c"], ["y"], then_branch=then, else_branch=other),
    ]
    path = save(tmp_path / "m.onnx", nodes, [tensor("x", ["N", 4])], [tensor("y", ["N", 4])])
    assert "keeps weights in branch.data, which is not there" in refusal(path)
