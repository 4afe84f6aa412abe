from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.worker.models import INT64, STRING, Shape, config, mlp, node, save, strings, tensor, zip_map
from worker.errors import InvalidVariables, LoadFailed
from worker.formats.pawl_json.answers import encode_answer
from worker.onnx.batcher import Batcher
from worker.onnx.by_signature import BySignature
from worker.onnx.session import open_sessions

UINT8, BOOL, FLOAT = 2, 9, 1


def opened(path: Path) -> BySignature:
    batcher = Batcher(wait=lambda call: None, can_wait=lambda: False)
    return BySignature(open_sessions({path.stem: path}, config(), batcher))


def echo(path: Path, shape: Shape | None, type: int = FLOAT, output: Shape | None = None) -> BySignature:
    """Answers y with what x is."""
    given = [tensor("x", shape, type)]
    return opened(save(path, [node("Identity", ["x"], ["y"])], given, [tensor("y", output or shape, type)]))


def echoed(model: BySignature, value: Any) -> Any:
    answer = model.transform_predict({"x": value})["y"]
    return answer.tolist() if hasattr(answer, "tolist") else answer


def refusal(model: BySignature, value: Any) -> str:
    with pytest.raises(InvalidVariables) as caught:
        model.transform_predict({"x": value})
    assert caught.value.field == "x"
    return str(caught.value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "m.onnx"


def test_one_row_in_is_one_row_out(path: Path) -> None:
    answer = opened(mlp(path)).transform_predict({"x": [1, 2.5, 3, 4]})
    assert answer["p"].shape == (3,)
    assert answer["p"].sum() == pytest.approx(1)
    assert answer["label"].shape == ()
    assert encode_answer(answer).startswith(b'{"p":[')


def test_a_missing_input_is_named(path: Path) -> None:
    with pytest.raises(InvalidVariables, match="x is missing; the inputs are x, and given was z") as caught:
        opened(mlp(path)).transform_predict({"z": 1})
    assert caught.value.field == "x"


def test_extra_variables_are_ignored(path: Path) -> None:
    assert opened(mlp(path)).transform_predict({"x": [1, 2, 3, 4], "z": "?"})


def test_a_lone_number_stands_for_a_list_of_one(path: Path) -> None:
    model = echo(path, ["N", 1])
    assert echoed(model, 3) == [3]
    assert echoed(model, [3]) == [3]


def test_an_input_of_one_value_per_row_takes_a_number(path: Path) -> None:
    model = echo(path, ["N"])
    assert echoed(model, 3) == 3
    assert echoed(model, [3]) == 3


def test_a_row_may_come_wrapped_in_a_batch_of_one(path: Path) -> None:
    assert echoed(echo(path, ["N", 3]), [[1, 2, 3]]) == [1, 2, 3]


def test_dimensions_of_any_size_take_any(path: Path) -> None:
    model = echo(path, ["N", "T", 2])
    assert echoed(model, [[1, 2], [3, 4], [5, 6]]) == [[1, 2], [3, 4], [5, 6]]
    assert refusal(model, [1, 2]) == "x: it takes lists of any by 2, not lists of 2"


def test_an_input_without_a_dimension_of_rows_is_passed_whole(path: Path) -> None:
    model = echo(path, [2, 2])
    assert echoed(model, [[1, 2], [3, 4]]) == [[1, 2], [3, 4]]


def test_an_input_of_unknown_shape_is_passed_whole(path: Path) -> None:
    model = echo(path, None)
    assert echoed(model, [[1, 2], [3, 4]]) == [[1, 2], [3, 4]]
    assert model.variables_schema["properties"] == {"x": {}}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1, 2], "x: it takes lists of 3, not lists of 2"),
        ([[1, 2, 3], [4, 5, 6]], "x: it takes lists of 3, not lists of 2 by 3"),
        (1, "x: it takes lists of 3, not one"),
        ([], "x: it takes lists of 3, not lists of 0"),
        ([[1], [2, 3], [4]], "x: its lists differ in length"),
        (["1", "2", "3"], "x: it takes numbers, not text"),
        ([1, "2", 3], "x: it takes numbers, not text"),
        ([True, False, True], "x: it takes numbers, not true or false"),
        ({"a": 1}, "x: it takes numbers, in lists of equal length"),
        ([{}, 1, 2], "x: it takes numbers, in lists of equal length"),
        ([1e300, 0, 0], "x: it takes numbers that fit float32"),
        ([10**400, 0, 0], "x: it takes numbers that fit float32"),
    ],
)
def test_what_does_not_fit_is_refused(path: Path, value: Any, message: str) -> None:
    assert refusal(echo(path, ["N", 3]), value) == message


def test_null_is_a_missing_number(path: Path) -> None:
    assert echoed(echo(path, ["N", 2]), [None, 1]) == [pytest.approx(np.nan, nan_ok=True), 1]
    assert encode_answer({"y": np.array([np.nan])}) == b'{"y":[null]}'


@pytest.mark.parametrize(
    ("type", "given", "there"),
    [
        (INT64, 7, 7),
        (INT64, 7.0, 7),
        (INT64, 2**62 + 1, 2**62 + 1),
        (UINT8, 255, 255),
        (BOOL, True, True),
        (STRING, "Ä", "Ä"),
    ],
)
def test_values_take_the_inputs_type(path: Path, type: int, given: Any, there: Any) -> None:
    assert echoed(echo(path, ["N"], type), given) == there


@pytest.mark.parametrize(
    ("type", "given", "message"),
    [
        (INT64, 7.5, "x: it takes whole numbers that fit int64"),
        (INT64, 2**63, "x: it takes whole numbers that fit int64"),
        (INT64, 2**70, "x: it takes whole numbers, in lists of equal length"),
        (INT64, 1e30, "x: it takes whole numbers that fit int64"),
        (INT64, None, "x: it takes whole numbers, in lists of equal length"),
        (INT64, True, "x: it takes whole numbers, not true or false"),
        (UINT8, 256, "x: it takes whole numbers that fit uint8"),
        (UINT8, -1, "x: it takes whole numbers that fit uint8"),
        (BOOL, 1, "x: it takes true or false, not numbers"),
        (STRING, 1, "x: it takes text, in lists of equal length"),
        (STRING, None, "x: it takes text, in lists of equal length"),
    ],
)
def test_values_of_another_type_are_refused(path: Path, type: int, given: Any, message: str) -> None:
    assert refusal(echo(path, ["N"], type), given) == message


def test_text_goes_in(path: Path) -> None:
    assert opened(strings(path)).transform_predict({"city": "Rome"})["y"].tolist() == [0, 1]


def test_a_sequence_of_one_map_is_an_object(path: Path) -> None:
    model = opened(zip_map(path))
    answer = model.transform_predict({"x": [0.5, 0.25, 0, 0.25]})
    assert answer == {"y": {"0": 0.5, "1": 0.25, "2": 0.0, "3": 0.25}}
    assert encode_answer(answer) == b'{"y":{"0":0.5,"1":0.25,"2":0.0,"3":0.25}}'
    assert model.answer_schema["properties"] == {"y": {"type": "object"}}


def found(path: Path, output: Shape) -> BySignature:
    """How many rows come out has nothing to do with how many went in."""
    nodes = [node("NonZero", ["x"], ["i"]), node("Transpose", ["i"], ["y"])]
    return opened(save(path, nodes, [tensor("x", ["N", 4])], [tensor("y", output, INT64)]))


@pytest.mark.parametrize("row", [[1, 0, 0, 0], [1, 1, 0, 0]])
def test_a_dimension_with_a_name_of_its_own_is_kept(path: Path, row: list[int]) -> None:
    assert len(found(path, ["found", 2]).transform_predict({"x": row})["y"]) == sum(row)


@pytest.mark.parametrize("output", [["N", 4], [None, 4], ["unk__12", 4]])
def test_a_dimension_of_rows_or_without_a_name_is_dropped(path: Path, output: Shape) -> None:
    assert echoed(echo(path, ["N", 4], output=output), [1, 2, 3, 4]) == [1, 2, 3, 4]


def test_what_json_cant_carry_is_refused_at_once(path: Path) -> None:
    class Argument:
        name, type, shape = "x", "seq(tensor(float))", ()

    class Odd:
        def get_inputs(self) -> list[Any]:
            return [Argument()]

    with pytest.raises(LoadFailed, match=r"input x is a seq\(tensor\(float\)\), which JSON can't carry"):
        BySignature({"m": Odd()})


def test_the_schemas_describe_one_row(path: Path) -> None:
    model = opened(mlp(path))
    number = {"type": ["number", "null"]}
    assert model.variables_schema == {
        "type": "object",
        "properties": {"x": {"type": "array", "items": number, "minItems": 4, "maxItems": 4}},
        "required": ["x"],
    }
    assert model.answer_schema["properties"] == {
        "p": {"type": "array", "items": number, "minItems": 3, "maxItems": 3},
        "label": {"type": "integer"},
    }


@pytest.mark.parametrize(
    ("shape", "type", "schema"),
    [
        (["N"], FLOAT, {"type": ["number", "null"]}),
        (["N", 1], FLOAT, {"type": ["number", "null"]}),
        (["N", "T"], STRING, {"type": "array", "items": {"type": "string"}}),
        (["N"], BOOL, {"type": "boolean"}),
        (["N"], UINT8, {"type": "integer", "minimum": 0, "maximum": 255}),
        (
            [2, "T"],
            INT64,
            {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}, "minItems": 2, "maxItems": 2},
        ),
    ],
)
def test_schemas_follow_shape_and_type(path: Path, shape: Shape, type: int, schema: dict[str, Any]) -> None:
    assert echo(path, shape, type).variables_schema["properties"]["x"] == schema
