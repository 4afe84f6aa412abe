from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import uuid
from collections import OrderedDict, defaultdict, deque
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pydantic
import pytest

from worker.errors import BadAnswer, InvalidVariables
from worker.formats.pawl_json.answers import encode_answer, encode_error, join_answers


def encoded(value: Any) -> Any:
    return json.loads(encode_answer({"value": value}))["value"]


@dataclasses.dataclass
class Point:
    x: float


class Struct(msgspec.Struct):
    x: float


class Model(pydantic.BaseModel):
    x: float


class Endless:
    def tolist(self) -> Any:
        return self


class Moody:
    def tolist(self) -> Any:
        raise OSError("not today")

    def __repr__(self) -> str:
        raise OSError("not today")


class Label(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(1.5), 1.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.longdouble(2), 2.0),
        (np.float64("nan"), None),
        (np.array([[1.0, np.nan], [np.inf, 2.0]]), [[1.0, None], [None, 2.0]]),
        (np.array(5), 5),
        (np.array([1.5], np.float16), [1.5]),
        (np.array(["a", 1, None], object), ["a", 1, None]),
        (np.datetime64("2020-01-02"), "2020-01-02"),
        (np.datetime64("2020-01-02T03:04:05", "ns"), "2020-01-02T03:04:05.000000000"),
        (np.array(["2020-01-02", "NaT"], "datetime64[D]"), ["2020-01-02", None]),
        (np.array("2020-01-02", "datetime64[D]"), "2020-01-02"),
        (np.timedelta64(5, "s"), "PT5S"),
        ({np.int64(1): 2}, {"1": 2}),
        (pd.Timestamp("2020-01-02"), "2020-01-02T00:00:00"),
        (pd.Timedelta(5, "s"), "PT5S"),
        (pd.NaT, None),
        (pd.NA, None),
        (pd.Series([1.5, np.nan]), [1.5, None]),
        (pd.Series([pd.NaT]), [None]),
        (pd.Categorical(["a"]), ["a"]),
        (pd.array([1, None]), [1, None]),
        (np.float16("nan"), None),
        (np.datetime64("NaT"), None),
        (np.timedelta64("NaT"), None),
        (np.ma.array([1, 2], mask=[False, True]), [1, None]),
        (np.array([(1, 2.0)], [("a", "i4"), ("b", "f4")]), [[1, 2.0]]),
        (2**64, 2**64),
        ({np.datetime64("2020"): 1}, {"2020": 1}),
        (pd.Index(["a"]), ["a"]),
        (pd.DataFrame({"x": [1, 2]}), [{"x": 1}, {"x": 2}]),
        (datetime.date(2020, 1, 2), "2020-01-02"),
        (datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC), "2020-01-02T00:00:00Z"),
        (decimal.Decimal("1.50"), "1.50"),
        (decimal.Decimal("NaN"), None),
        (decimal.Decimal("-sNaN12"), None),
        ([{1: decimal.Decimal("-Infinity"), "b": decimal.Decimal(2)}, ()], [{"1": None, "b": "2"}, []]),
        (np.array([decimal.Decimal("Infinity"), decimal.Decimal(1)], object), [None, "1"]),
        (
            ["NaN", "Infinity", datetime.date(2020, 1, 2), b"a", np.float32("nan")],
            ["NaN", "Infinity", "2020-01-02", "YQ==", None],
        ),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({3}, [3]),
        ((1, 2), [1, 2]),
        (float("nan"), None),
        (float("-inf"), None),
        (Label("a"), "a"),
        (OrderedDict(a=1), {"a": 1}),
        (defaultdict(int, a=1), {"a": 1}),
        (Point(1.0), {"x": 1.0}),
        (Struct(1.0), {"x": 1.0}),
        (Model(x=1.0), {"x": 1.0}),
    ],
    ids=repr,
)
def test_what_models_return_is_encoded(value: Any, expected: Any) -> None:
    assert encoded(value) == expected


def test_words_within_a_text_change_nothing_of_an_answer() -> None:
    """Of base64, say; and encoding it another way would refuse what is raw."""
    assert encoded([msgspec.Raw(b"1"), "as NaN as", 'an "Infinity"']) == [1, "as NaN as", 'an "Infinity"']


@pytest.mark.parametrize("answer", [{"x": 1.0}, Point(1.0), Struct(1.0), Model(x=1.0)], ids=repr)
def test_an_answer_is_an_object(answer: Any) -> None:
    assert json.loads(encode_answer(answer)) == {"x": 1.0}


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (None, "None"),
        ([1], "list"),
        ("x", "str"),
        (3, "int"),
        (np.array([1]), "ndarray"),
        (pd.DataFrame({"x": [1]}), "DataFrame"),
        (object(), "object"),
        ((each for each in ()), "generator"),
        ({"a": [1, {"b": object()}]}, r"\['a'\]\[1\]\['b'\] is of type object"),
        ({"a": deque([1])}, r"\['a'\] is of type deque"),
        ({"a": 1j}, "complex"),
        ({"a": np.complex64(1)}, "complex64"),
        ({None: 1}, "the answer has the key None"),
        ({"a": [{(1, 2): 1}]}, r"the answer's \['a'\]\[0\] has the key \(1, 2\), .* of type tuple"),
        ({"a": {"\ud800": 1}}, r"the answer's \['a'\] has the key '.ud800'"),
        ({"a": ["\ud800"]}, r"the answer's \['a'\]\[0\] can't be written as JSON: .*surrogates"),
        ({"a": 10**5000}, r"the answer's \['a'\] can't be written as JSON: .*4300 digits"),
        ({"a": Point(object())}, r"the answer's \['a'\].x is of type object"),  # type: ignore[arg-type]
        ({"a": Struct([1, object()])}, r"the answer's \['a'\].x\[1\] is of type object"),  # type: ignore[arg-type]
        ({"a": pd.Period("2020")}, r"\['a'\] is of type Period"),
        ({"a": pd.DataFrame({("a", "b"): [1]})}, r"\['a'\] is of type tuple"),
        ({"a": enum.Enum("Kind", {"ODD": object}).ODD}, r"\['a'\] is of type type"),
        ({"a": Endless()}, "holds itself or is nested too deeply"),
        ({"a": Moody()}, r"the answer's \['a'\] can't be written as JSON: OSError: not today"),
        ({Moody(): 1}, "the answer has the key of type Moody"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_cannot_be_encoded_is_named(answer: Any, named: str) -> None:
    with pytest.raises(BadAnswer, match=named):
        encode_answer(answer)


def test_an_answer_that_holds_itself_is_bad() -> None:
    answer: dict[str, Any] = {}
    answer["me"] = answer
    with pytest.raises(BadAnswer, match="Recursion"):
        encode_answer(answer)


def test_an_answer_is_bounded() -> None:
    assert len(encode_answer({"x": "a" * 92}, most=100)) == 100
    assert len(join_answers([b"{}"] * 3, most=10)) == 10
    with pytest.raises(BadAnswer, match="101 bytes of JSON; at most 100 are sent"):
        encode_answer({"x": "a" * 93}, most=100)
    with pytest.raises(BadAnswer, match="at most 9 are sent"):
        join_answers([b"{}"] * 3, most=9)


def test_an_error_has_its_code_message_and_details() -> None:
    assert json.loads(encode_error(InvalidVariables("age: no", "age"))) == {
        "error": {"code": "invalid_variables", "message": "age: no", "field": "age"}
    }
