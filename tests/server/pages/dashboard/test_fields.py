from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.pages.dashboard.fields import Field, fields, filled

SCHEMA: dict[str, Any] = {
    "$ref": "#/$defs/Payment",
    "$defs": {
        "Payment": {
            "type": "object",
            "required": ["amount", "currency", "device"],
            "properties": {
                "amount": {"type": "number", "minimum": 0},
                "currency": {"enum": ["EUR", "GBP"]},
                "hour": {
                    "anyOf": [{"type": "integer", "minimum": 0, "maximum": 23}, {"type": "null"}],
                    "default": None,
                },
                "note": {"type": "string", "description": "free <b>text</b>"},
                "history": {"type": "array", "items": {"type": "number"}},
                "device": {"$ref": "#/$defs/Device"},
            },
        },
        "Device": {"type": "object", "properties": {"trusted": {"type": "boolean"}, "kind": {"type": "string"}}},
    },
}
EXAMPLE = {"amount": 980, "currency": "EUR", "history": [12.5, 80], "device": {"trusted": True, "kind": "phone"}}


def form(found: tuple[Field, ...]) -> dict[str, str]:
    """As a browser sends what it was given."""
    return {field.name: field.value for field in found if field.kind != "checkbox" or field.value}


def test_a_schema_makes_a_field_of_each_property_with_its_bounds() -> None:
    found = {field.label: field for field in fields(SCHEMA, EXAMPLE)}
    assert {label: field.kind for label, field in found.items()} == {
        "amount": "number",
        "currency": "choice",
        "hour": "integer",
        "note": "text",
        "history": "json",
        "device.trusted": "checkbox",
        "device.kind": "text",
    }
    assert found["amount"].hint == "number, 0 or more; required"
    assert found["hour"].hint == "integer, 0 to 23"
    assert found["currency"].choices == ("EUR", "GBP")
    assert found["device.kind"].group == "device"
    assert (found["amount"].value, found["history"].value) == ("980", "[12.5, 80]")


def test_what_is_sent_back_as_it_was_given_is_the_example() -> None:
    found = fields(SCHEMA, EXAMPLE)
    read, variables = filled(found, form(found))
    assert variables == EXAMPLE
    assert not [field for field in read if field.error]


def test_without_a_schema_the_example_says_what_there_is() -> None:
    example = {"a": 1.5, "b": "x", "c": {"d": True, "e": [1]}, "f": None}
    found = fields(None, example)
    assert [field.label for field in found] == ["a", "b", "c.d", "c.e", "f"]
    assert filled(found, form(found))[1] == {"a": 1.5, "b": "x", "c": {"d": True, "e": [1]}}
    assert fields(None, [1, 2]) == ()


@pytest.mark.parametrize(
    ("name", "sent", "error"),
    [
        ("v.amount", "much", "'much' was sent; it takes a number"),
        ("v.amount", "nan", "'nan' was sent; it takes a number"),
        ("v.amount", "", "it is required"),
        ("v.hour", "2.5", "'2.5' was sent; it takes an integer"),
        ("v.history", "[1", "not valid JSON"),
    ],
)
def test_what_cannot_be_read_says_what_was_sent_and_what_it_takes(name: str, sent: str, error: str) -> None:
    found = fields(SCHEMA, EXAMPLE)
    read, variables = filled(found, {**form(found), name: sent})
    wrong = [field for field in read if field.error]
    assert [field.name for field in wrong] == [name]
    assert wrong[0].error.startswith(error)
    assert wrong[0].value == sent
    assert name.removeprefix("v.") not in variables


def test_a_schema_that_leads_nowhere_or_in_a_circle_makes_no_fields() -> None:
    circle = {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}
    for schema in (circle, {"$ref": "https://example.org/x"}, {"properties": 3}, {"$ref": "#/$defs/B"}):
        assert fields(schema, {}) == ()
    deep = {"$ref": "#/$defs/A", "$defs": {"A": {"properties": {"a": {"$ref": "#/$defs/A"}, "b": {"type": "number"}}}}}
    assert {field.kind for field in fields(deep, {})} == {"number", "json"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=5))
def test_whatever_an_example_holds_makes_a_form_that_can_be_sent(example: dict[str, Any]) -> None:
    found = fields(None, msgspec.json.decode(msgspec.json.encode(example)))
    read, _ = filled(found, form(found))
    assert not [field.error for field in read if field.error]
