"""What a model may answer, and how it is written."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest

from tests.repos import Repo
from tests.serving import Server, serving

MODEL = """
from __future__ import annotations

import datetime, decimal, enum, fractions, threading, uuid
from collections import Counter, OrderedDict, defaultdict
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
import pandas as pd
import pydantic


@dataclass
class Point:
    x: float
    y: np.ndarray


class Structure(msgspec.Struct):
    point: Point


class Model(pydantic.BaseModel):
    x: float
    at: datetime.date


class Pair(NamedTuple):
    first: int
    second: str


class Colour(enum.Enum):
    RED = "red"


class Endless(dict):
    pass


def loop():
    endless = {}
    endless["again"] = endless
    return endless


def deep():
    value = {}
    for _ in range(100_000):
        value = {"a": value}
    return value


class Raises:
    @property
    def __dict__(self):
        raise RuntimeError("no dict")


GOOD = {
    "empty": lambda: {},
    "plain": lambda: {"a": [1, 2.5, None, True, "é€"], "b": {"c": []}},
    "int keys": lambda: {1: "one", 2: "two"},
    "scalars": lambda: {
        "f32": np.float32(0.5), "f64": np.float64(0.1), "f16": np.float16(0.5), "i8": np.int8(-3),
        "u64": np.uint64(2**64 - 1), "bool": np.bool_(True), "str": np.str_("x"),
    },
    "arrays": lambda: {
        "vector": np.arange(3), "matrix": np.eye(2), "bools": np.array([True, False]), "strings": np.array(["a", "b"]),
        "objects": np.array([1, "a", None], dtype=object), "scalar": np.array(5), "none": np.zeros((0, 3)),
    },
    "numpy keys": lambda: {np.int64(3): "three", np.str_("a"): "A"},
    "nan": lambda: {
        "a": float("nan"), "b": [float("inf"), -float("inf")], "c": np.float32("nan"),
        "d": np.array([1.0, np.nan, np.inf]), "e": np.float64("-inf"),
    },
    "dates": lambda: {
        "date": datetime.date(2024, 2, 29), "at": datetime.datetime(2024, 2, 29, 12, 30),
        "utc": datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.timezone.utc),
        "time": datetime.time(12, 30), "np": np.datetime64("2024-02-29"), "pd": pd.Timestamp("2024-02-29 12:30"),
        "nat": pd.NaT,
    },
    "others": lambda: {
        "decimal": decimal.Decimal("1.50"), "uuid": uuid.UUID(int=1), "enum": Colour.RED, "tuple": (1, 2),
        "set": {7}, "bytes": b"abc", "pair": Pair(1, "a"),
    },
    "collections": lambda: {
        "ordered": OrderedDict(a=1), "default": defaultdict(int, a=1), "counter": Counter("aa"),
    },
    "dataclass": lambda: Point(1.0, np.arange(2)),
    "struct": lambda: Structure(Point(1.0, np.arange(2))),
    "pydantic": lambda: Model(x=1, at="2024-02-29"),
    "nested pydantic": lambda: {"models": [Model(x=1, at="2024-02-29")]},
    "pandas": lambda: {
        "series": pd.Series([1, 2]), "frame": pd.DataFrame({"a": [1, 2]}), "na": pd.NA, "index": pd.Index(["a"]),
    },
    "big int": lambda: {"n": 2**70},
}

BAD = {
    "none": lambda: None,
    "a list": lambda: [1],
    "a string": lambda: "yes",
    "a number": lambda: 1.5,
    "an array": lambda: np.arange(3),
    "an object": lambda: {"a": {"b": [object()]}},
    "a complex number": lambda: {"z": 1j},
    "a numpy complex": lambda: {"z": np.complex64(1j)},
    "a lock": lambda: {"lock": threading.Lock()},
    "a function": lambda: {"f": len},
    "a fraction": lambda: {"half": fractions.Fraction(1, 2)},
    "itself": loop,
    "too deep": deep,
    "a tuple key": lambda: {(1, 2): 3},
    "a lone surrogate": lambda: {"a": "\\ud800"},
    "a generator": lambda: (x for x in [1]),
    "a class": lambda: Point,
    "an object that raises": lambda: {"r": Raises()},
}


class Answers:
    def transform_predict(self, variables):
        which = variables["which"]
        return GOOD[which]() if which in GOOD else BAD[which]()
"""

EXPECTED: dict[str, Any] = {
    "empty": {},
    "plain": {"a": [1, 2.5, None, True, "é€"], "b": {"c": []}},
    "int keys": {"1": "one", "2": "two"},
    "scalars": {"f32": 0.5, "f64": 0.1, "f16": 0.5, "i8": -3, "u64": 2**64 - 1, "bool": True, "str": "x"},
    "arrays": {
        "vector": [0, 1, 2],
        "matrix": [[1.0, 0.0], [0.0, 1.0]],
        "bools": [True, False],
        "strings": ["a", "b"],
        "objects": [1, "a", None],
        "scalar": 5,
        "none": [],
    },
    "numpy keys": {"3": "three", "a": "A"},
    "nan": {"a": None, "b": [None, None], "c": None, "d": [1.0, None, None], "e": None},
    "dates": {
        "date": "2024-02-29",
        "at": "2024-02-29T12:30:00",
        "utc": "2024-02-29T12:30:00Z",
        "time": "12:30:00",
        "np": "2024-02-29",
        "pd": "2024-02-29T12:30:00",
        "nat": None,
    },
    "others": {
        "decimal": "1.50",
        "uuid": "00000000-0000-0000-0000-000000000001",
        "enum": "red",
        "tuple": [1, 2],
        "set": [7],
        "bytes": "YWJj",
        "pair": [1, "a"],
    },
    "collections": {"ordered": {"a": 1}, "default": {"a": 1}, "counter": {"a": 2}},
    "dataclass": {"x": 1.0, "y": [0, 1]},
    "struct": {"point": {"x": 1.0, "y": [0, 1]}},
    "pydantic": {"x": 1.0, "at": "2024-02-29"},
    "nested pydantic": {"models": [{"x": 1.0, "at": "2024-02-29"}]},
    "pandas": {"series": [1, 2], "frame": [{"a": 1}, {"a": 2}], "na": None, "index": ["a"]},
    "big int": {"n": 2**70},
}

BAD = {
    "none": "None",
    "a list": "list",
    "a string": "str",
    "a number": "float",
    "an array": "",
    "an object": "['a']['b'][0]",
    "a complex number": "['z']",
    "a numpy complex": "['z']",
    "a lock": "['lock']",
    "a function": "['f']",
    "a fraction": "['half']",
    "itself": "",
    "too deep": "",
    "a tuple key": "",
    "a lone surrogate": "",
    "a generator": "generator",
    "a class": "",
    "an object that raises": "",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("answers")
    repo = Repo(home / "models")
    repo.write("Answers/etls.py", MODEL).commit()
    with serving(home / "data", repo.path) as server:
        yield server


@pytest.mark.parametrize("which", EXPECTED)
def test_an_answer_is_written_as_json(server: Server, which: str) -> None:
    answer = server.score("Answers", which=which)
    assert answer == EXPECTED[which]
    assert not any(math.isnan(value) for value in answer.values() if isinstance(value, float))


@pytest.mark.parametrize("which", BAD)
def test_what_can_not_be_written_is_a_bad_answer_and_the_message_says_where(server: Server, which: str) -> None:
    error = server.post("/Answers", {"variables": {"which": which}}).error(500, "bad_answer")
    assert BAD[which] in error["message"]
    assert "answer" in error["message"]
    assert len(error["message"]) < 400
    assert server.score("Answers", which="empty") == {}
