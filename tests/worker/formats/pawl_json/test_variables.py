from __future__ import annotations

import contextlib
import dataclasses
import json
from typing import Any, TypedDict

import msgspec
import pandas
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import InvalidVariables, MalformedJson
from worker.formats import pydantic_types as pydantics
from worker.formats.pawl_json import variables


@dataclasses.dataclass
class Owner:
    name: str


@dataclasses.dataclass
class Person:
    age: int
    income: float = 0.0
    owner: Owner | None = None


class Passenger(pydantic.BaseModel):
    age: int
    tags: list[int] = []


class Flower(TypedDict):
    petal: float


dataclass = variables.one_by_one(variables.msgspec_converter(Person))
pydantic_model = variables.one_by_one(pydantics.converter(Passenger))
dataframe = variables.as_dataframe(pandas)
EVERY_WAY = [variables.as_sent, variables.ignored, dataclass, pydantic_model, dataframe]

MALFORMED = [
    b"{",
    b" ",
    b"nonsense",
    b'{"variables": {"a": 1}',
    b'{"variables": {}} x',
    b'{"variables": {"a": NaN}}',
    b'{"variables": {"a": Infinity}}',
    b'{"variables": {"age": "\xff"}}',
    b'{"variables": {"\xff": 1}}',
    b'{"other": "\xff", "variables": {"age": 1}}',
    b'{"variables": {"age": 1, "a": "\\ud800"}}',
    b'{"variables": ' + b"[" * 100_000,
    b'{"variables": {"age": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    b'{"variables": {"age": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001 + b"}",
    b'{"variables": 3, ',
    b"\xef\xbb\xbf{}",
    b"\x00",
]


@pytest.mark.parametrize("decode", EVERY_WAY)
@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:24]))
def test_what_is_no_json_is_malformed(decode: variables.Decode, body: bytes) -> None:
    with pytest.raises(MalformedJson):
        decode(body)


@pytest.mark.parametrize("decode", [variables.as_sent, dataclass, pydantic_model, dataframe])
@pytest.mark.parametrize("body", [b"3", b"[]", b'"x"', b"null", b'{"variables": "x"}', b'{"variables": 3}'])
def test_json_of_another_shape_does_not_fit(decode: variables.Decode, body: bytes) -> None:
    with pytest.raises(InvalidVariables):
        decode(body)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"variables": null}', b'{"variables": {}}', b'{"variables": {}, "other": 1}']
)
def test_no_variables_come_as_none_of_them(body: bytes) -> None:
    assert variables.as_sent(body) == {}
    assert variables.ignored(body) is None
    assert dataframe(body).shape == (1, 0)
    assert variables.one_by_one(bytes)(body) == b"{}"


@pytest.mark.parametrize("decode", [variables.as_sent, dataclass, pydantic_model, dataframe])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"latitude": 10}', 'wrap what the model takes: {"variables": {"latitude": …}}'),
        (b'{"a": 1, "b": 2, "c": 3, "d": 4}', '{"variables": {"a": …, "b": …, "c": …, …}}'),
        (b'{"variable": {"age": 10}}', 'it has "variable": is "variables" meant?'),
        (b'{"Variables": {"age": 10}}', 'it has "Variables": is "variables" meant?'),
        (b'{"variabels": null}', 'it has "variabels": is "variables" meant?'),
        (b'{"instances": [{"age": 10}]}', '"instances" is the form of another server. Send {"variables": {…}}'),
        (b'{"id": "1", "inputs": []}', '"inputs" is the form of another server'),
        (b'{"dataframe_split": {}}', '"dataframe_split" is the form of another server'),
        (b'{"": 1}', 'wrap what the model takes: {"variables": {"": …}}'),
    ],
)
def test_a_body_with_other_keys_alone_is_told_what_is_expected(
    decode: variables.Decode, body: bytes, said: str
) -> None:
    with pytest.raises(InvalidVariables) as caught:
        decode(body)
    assert str(caught.value).startswith('the body has no key "variables"; ')
    assert said in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("decode", [variables.as_sent, variables.ignored, dataframe])
def test_other_keys_beside_the_variables_are_ignored(decode: variables.Decode) -> None:
    decode(b'{"id": 7, "variables": {"age": 1}}')
    decode(b'{"id": 7, "variables": null}')


def test_a_method_that_takes_nothing_ignores_what_is_sent() -> None:
    assert variables.ignored(b'{"instances": [{"age": 10}]}') is None


def test_of_variables_that_are_sent_twice_the_last_count() -> None:
    body = b'{"variables": {"age": 1}, "variables": {"age": 2}}'
    assert variables.as_sent(body) == {"age": 2}
    assert dataclass(body) == Person(2)


def test_a_dict_comes_as_it_was_sent() -> None:
    sent = {"a": 1, "b": [1.5, None, {"c": "é"}], "big": 10**30}
    assert variables.as_sent(json.dumps({"variables": sent}).encode()) == sent


def test_a_list_is_many() -> None:
    assert variables.as_sent(b'{"variables": [{"a": 1}, {}]}') == [{"a": 1}, {}]
    assert dataclass(b'{"variables": [{"age": 1}, {"age": 2}]}') == [Person(1), Person(2)]
    assert pydantic_model(b'{"variables": [{"age": 1}]}') == [Passenger(age=1)]
    assert [frame.shape for frame in dataframe(b'{"variables": [{"a": 1}, {}]}')] == [(1, 1), (1, 0)]
    assert len(variables.ignored(b'{"variables": [1, 2, 3]}')) == 3


@pytest.mark.parametrize("decode", EVERY_WAY)
def test_a_list_is_bounded(decode: variables.Decode) -> None:
    one = b'{"age": 1}'
    assert len(decode(b'{"variables": [' + b",".join([one] * 1000) + b"]}")) == 1000
    with pytest.raises(InvalidVariables, match="1,001"):
        decode(b'{"variables": [' + b",".join([one] * 1001) + b"]}")


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "age"),
        ({"age": "x"}, "age"),
        ({"age": 1, "owner": {"name": 3}}, "owner.name"),
        ({"age": 1, "owner": {}}, "owner.name"),
    ],
)
def test_what_does_not_fit_a_dataclass_is_named(sent: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidVariables, match=field) as caught:
        dataclass(json.dumps({"variables": sent}).encode())
    assert caught.value.details == {"field": field}


@pytest.mark.parametrize(
    ("sent", "field"), [({}, "age"), ({"age": "x"}, "age"), ({"age": 1, "tags": [1, "x"]}, "tags.1")]
)
def test_what_does_not_fit_a_pydantic_model_is_named(sent: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidVariables, match=field) as caught:
        pydantic_model(json.dumps({"variables": sent}).encode())
    assert caught.value.details == {"field": field}


@pytest.mark.parametrize("decode", [dataclass, pydantic_model])
def test_what_does_not_fit_in_a_list_is_named_with_its_index(decode: variables.Decode) -> None:
    with pytest.raises(InvalidVariables) as caught:
        decode(b'{"variables": [{"age": 1}, {"age": "x"}]}')
    assert caught.value.details == {"field": "age", "index": 1}


def test_what_is_no_dict_in_a_list_is_named_by_its_index() -> None:
    with pytest.raises(InvalidVariables) as caught:
        variables.as_sent(b'{"variables": [{}, 3]}')
    assert caught.value.details == {"index": 1}


def test_a_number_out_of_range_does_not_fit() -> None:
    with pytest.raises(InvalidVariables, match="out of range"):
        variables.as_sent(b'{"variables": {"a": 1e400}}')


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (b'{"variables": {"b": 1, "a": 1e999}}', {"field": "a"}),
        (b'{"variables": {"a": {"b": [0, 1e999]}}}', {"field": "a.b[1]"}),
        (b'{"variables": [{"a": 1}, {"a": -1e999}]}', {"field": "a", "index": 1}),
    ],
)
@pytest.mark.parametrize("decode", [variables.as_sent, variables.ignored])
def test_a_number_out_of_range_is_named(decode: variables.Decode, body: bytes, details: dict[str, object]) -> None:
    with pytest.raises(InvalidVariables, match="out of range") as caught:
        decode(body)
    assert caught.value.details == details


def test_variables_that_a_type_does_not_know_are_ignored() -> None:
    assert dataclass(b'{"variables": {"age": 1, "more": 2}}') == Person(1)


def test_a_type_may_forbid_them() -> None:
    class Strict(msgspec.Struct, forbid_unknown_fields=True):
        age: int

    with pytest.raises(InvalidVariables) as caught:
        variables.one_by_one(variables.msgspec_converter(Strict))(b'{"variables": {"age": 1, "more": 2}}')
    assert caught.value.field == "more"


def test_what_is_missing_is_told_in_plain_words() -> None:
    with pytest.raises(InvalidVariables, match=r"^age is missing$"):
        dataclass(b"{}")


def test_a_variable_may_itself_be_named_variables() -> None:
    odd = variables.one_by_one(variables.msgspec_converter(TypedDict("Odd", {"variables": int})))
    with pytest.raises(InvalidVariables, match="variables: Expected 'int', got 'str'") as caught:
        odd(b'{"variables": {"variables": "x"}}')
    assert caught.value.details == {"field": "variables"}


def test_typed_dicts_are_checked() -> None:
    decode = variables.one_by_one(variables.msgspec_converter(Flower))
    assert decode(b'{"variables": {"petal": 1}}') == {"petal": 1.0}
    with pytest.raises(InvalidVariables, match="petal"):
        decode(b"")


def test_a_dataframe_is_flattened() -> None:
    frame = dataframe(b'{"variables": {"a": 1, "b": {"c": "x"}}}')
    assert frame.to_dict("records") == [{"a": 1, "b.c": "x"}]


@pytest.mark.parametrize("decode", EVERY_WAY)
@given(body=st.binary(max_size=60))
def test_garbage_is_refused_in_an_orderly_way(decode: variables.Decode, body: bytes) -> None:
    with contextlib.suppress(MalformedJson, InvalidVariables):
        decode(body)
