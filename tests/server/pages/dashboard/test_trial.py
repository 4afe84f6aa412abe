"""The form that asks a model."""

from __future__ import annotations

import msgspec

from loader.workers.examples import Example
from server.pages.dashboard.trial.try_pages import answered, blank
from server.pages.facts import ModelFacts
from tests.server.states import description, live, model

SCHEMA = {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"]}
TYPED = ModelFacts(
    state=model("fraud", msgspec.structs.replace(live(), description=description(variables_schema=SCHEMA)))
)
UNTYPED = ModelFacts(state=model("fraud", live()))
EXAMPLES = (Example(variables={"amount": 5}),)


def test_fields_come_of_the_schema_or_of_an_example_and_else_it_is_json() -> None:
    for facts, examples in ((TYPED, ()), (TYPED, EXAMPLES), (UNTYPED, EXAMPLES)):
        trial = blank(facts, examples, 0, is_json=False)
        assert [field.label for field in trial.fields] == ["amount"]
        assert (trial.is_json, trial.has_fields) == (False, True)
    nothing = blank(UNTYPED, (), 0, is_json=False)
    assert (nothing.fields, nothing.is_json, nothing.has_fields) == ((), True, False)
    chosen = blank(TYPED, EXAMPLES, 0, is_json=True)
    assert (chosen.fields, chosen.is_json, chosen.has_fields) == ((), True, True)


def test_what_was_filled_in_is_shown_again_with_what_is_wrong_with_it() -> None:
    trial, variables = answered(blank(TYPED, EXAMPLES, 0, is_json=False), {"v.amount": "7"})
    assert (variables, trial.fields[0].value) == ({"amount": 7}, "7")
    as_json = blank(TYPED, EXAMPLES, 0, is_json=True)
    assert answered(as_json, {"json": '{"amount": 8}'})[1] == {"amount": 8}
    wrong, variables = answered(as_json, {"json": "{"})
    assert variables is None
    assert (wrong.text, wrong.is_json, wrong.has_fields) == ("{", True, True)
    assert "not valid JSON" in wrong.error
