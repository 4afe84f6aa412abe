from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pawl.check.outline import outline
from worker.formats.schemas import json_schema


class Place(msgspec.Struct):
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90, description="degrees north")] = 52.5
    day: date | None = None


class Trip(msgspec.Struct):
    places: Annotated[list[Place], msgspec.Meta(min_length=2, max_length=2)]
    start: Place
    by: Literal["train", "bike"]
    tags: dict[str, int]
    back: Trip | None = None


def lines(kind: Any) -> list[str]:
    schema = json_schema(kind, "validation")
    assert schema is not None
    return outline(schema)


def test_each_field_has_a_line_with_its_type_and_what_it_is_if_not_sent() -> None:
    assert lines(Place) == [
        "latitude: number (≥ -90, ≤ 90) = 52.5  — degrees north",
        "day: date or null = null",
    ]


def test_a_field_of_several_types_names_them() -> None:
    items = {"type": ["number", "null"]}
    schema = {"type": "object", "properties": {"x": {"type": "array", "items": items}}, "required": ["x"]}
    assert list(outline(schema)) == ["x: list of number or null"]


def test_fields_of_fields_are_indented_below_them() -> None:
    found = lines(Trip)
    assert found[:3] == [
        "places: list of object (2 of them)",
        "  latitude: number (≥ -90, ≤ 90) = 52.5  — degrees north",
        "  day: date or null = null",
    ]
    assert "start: object" in found
    assert 'by: "bike" or "train"' in found


def test_a_type_that_holds_itself_comes_to_an_end() -> None:
    assert len(lines(Trip)) < 100


def test_a_field_that_may_be_left_out_says_so() -> None:
    assert outline({"properties": {"x": {"type": "integer"}}}) == ["x: integer, may be left out"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
keywords = st.sampled_from(["type", "anyOf", "items", "properties", "enum", "required", "$ref", "$defs", "default"])


@given(st.dictionaries(keywords, json_values, max_size=5))
def test_a_schema_that_is_none_is_outlined_as_far_as_it_makes_sense(schema: dict[str, Any]) -> None:
    outline({"properties": {"field": schema}, **schema})
