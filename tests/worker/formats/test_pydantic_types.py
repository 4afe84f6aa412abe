"""Both generations: `pydantic.v1` is the first as the second carries it on; a model may have the first alone."""

from __future__ import annotations

import dataclasses
import datetime
import json
from typing import Any

import numpy as np
import pydantic
import pydantic.dataclasses
import pytest
from pydantic import v1
from pydantic.v1 import dataclasses as v1_dataclasses

from worker.errors import BadAnswer, InvalidVariables
from worker.formats import pydantic_types as pydantics
from worker.formats import schemas
from worker.formats.pawl_json.answers import encode_answer
from worker.model import method


class Home(pydantic.BaseModel):
    street: str


class Second(pydantic.BaseModel):
    age: int = pydantic.Field(alias="Age")
    home: Home | None = None


class FirstHome(v1.BaseModel):
    street: str


class First(v1.BaseModel):
    age: int = v1.Field(alias="Age")
    home: FirstHome | None = None


@pydantic.dataclasses.dataclass
class SecondDataclass:
    Age: int
    home: Home | None = None


@v1_dataclasses.dataclass
class FirstDataclass:
    Age: int
    home: FirstHome | None = None


KINDS = [Second, First, SecondDataclass, FirstDataclass]


@pytest.mark.parametrize("kind", KINDS)
def test_variables_are_validated_and_what_does_not_fit_is_named(kind: Any) -> None:
    def taker(variables: Any) -> None: ...

    taker.__annotations__["variables"] = kind
    taken = method.read_method(type("M", (), {"transform_predict": staticmethod(taker)}), "dict")
    assert taken.takes == "typed"
    got = taken.decode(b'{"variables": {"Age": 3, "home": {"street": "x"}, "more": 1}}')
    assert isinstance(got, kind)
    assert (getattr(got, "age", None) or got.Age, got.home.street) == (3, "x")
    for variables, field in (({}, "Age"), ({"Age": "x"}, "Age"), ({"Age": 1, "home": {}}, "home.street")):
        with pytest.raises(InvalidVariables, match=field) as caught:
            taken.decode(json.dumps({"variables": variables}).encode())
        assert caught.value.field == field


@pytest.mark.parametrize("kind", KINDS)
def test_variables_are_described(kind: Any) -> None:
    schema = schemas.json_schema(kind, "validation")
    assert schema is not None
    assert schema["required"] == ["Age"]
    assert schema["properties"]["Age"]["type"] == "integer"
    assert next(iter(schema["$defs"].values()))["required"] == ["street"]
    assert "definitions" not in schema


class Answer(pydantic.BaseModel):
    label: str = pydantic.Field(serialization_alias="Label")
    at: datetime.date

    @pydantic.field_serializer("at")
    def short(self, at: datetime.date) -> int:
        return at.year


class FirstAnswer(v1.BaseModel):
    label: str
    at: datetime.date

    class Config:
        fields = {"label": "Label"}
        json_encoders = {datetime.date: lambda at: at.year}


@pydantic.dataclasses.dataclass
class DataclassAnswer:
    label: str = pydantic.Field(serialization_alias="Label")
    at: datetime.date = datetime.date(2020, 1, 2)

    @pydantic.field_serializer("at")
    def short(self, at: datetime.date) -> int:
        return at.year


DAY = datetime.date(2020, 1, 2)
ANSWERS = [Answer(label="a", at=DAY), FirstAnswer(Label="a", at=DAY), DataclassAnswer(label="a", at=DAY)]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: type(answer).__name__)
def test_answers_go_by_their_aliases_and_serializers(answer: Any) -> None:
    assert json.loads(encode_answer(answer)) == {"Label": "a", "at": 2020}


@pytest.mark.parametrize("answer", ANSWERS[:2], ids=lambda answer: type(answer).__name__)
def test_models_in_an_answer_do_so_too(answer: Any) -> None:
    assert json.loads(encode_answer({"rows": [answer]})) == {"rows": [{"Label": "a", "at": 2020}]}


class Holder(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    value: Any


class FirstHolder(v1.BaseModel):
    value: Any


@pytest.mark.parametrize("kind", [Holder, FirstHolder])
@pytest.mark.parametrize(
    ("value", "written"), [(float("nan"), None), (float("inf"), None), (np.arange(2), [0, 1]), (np.float32(0.5), 0.5)]
)
def test_what_a_model_holds_is_written_as_in_any_answer(kind: Any, value: Any, written: Any) -> None:
    assert json.loads(encode_answer(kind(value=value))) == {"value": written}


@pytest.mark.parametrize("kind", [Holder, FirstHolder])
def test_what_a_model_holds_that_cannot_be_written_is_named(kind: Any) -> None:
    with pytest.raises(BadAnswer, match="object"):
        encode_answer(kind(value=object()))


def test_other_types_are_none_of_pydantics() -> None:
    @dataclasses.dataclass
    class Plain:
        x: int

    for kind in (Plain, dict, int, None, "Second", list[int]):
        assert not pydantics.is_pydantic(kind)
        assert pydantics.schema(kind, "validation") is None
    one = Plain(1)
    assert pydantics.as_plain(one) is one
