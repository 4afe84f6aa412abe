from __future__ import annotations

from core.error_codes import ERROR_CODES, PLANNED, Origin
from server.openapi.error_responses import faults, responses

OF_MODELS = Origin.BODY | Origin.VARIABLES | Origin.MODEL | Origin.VERSION | Origin.SERVER


def test_every_code_that_a_model_may_be_answered_with_is_told_and_no_other() -> None:
    told = "\n".join(response["description"] for response in responses().values())
    for line in ERROR_CODES.values():
        assert (f"`{line.code}`: {line.says}" in told) == bool(line.origin & OF_MODELS and line.code not in PLANNED)


def test_a_route_refers_to_responses_that_there_are() -> None:
    for has_body in (True, False):
        for of_model in (True, False):
            said = {each["$ref"].rpartition("/")[2] for each in faults(has_body=has_body, of_model=of_model).values()}
            assert said <= responses().keys()


def test_only_a_request_with_a_body_fails_by_it() -> None:
    assert faults(has_body=True).keys() - faults(has_body=False).keys() == {"400", "408", "413", "415"}


def test_where_all_models_answer_what_one_of_them_fails_by_is_in_its_place() -> None:
    of_one, of_all = faults(has_body=True), faults(has_body=True, of_model=False)
    assert of_all.keys() < of_one.keys()
    assert {"4XX", "404", "502", "504"} <= of_one.keys() - of_all.keys()


def test_a_retry_is_spoken_of_where_every_error_of_the_status_may_be_cured_by_one() -> None:
    found = responses()
    assert [name for name, response in found.items() if "Retry-After" in response.get("headers", {})] == [
        "Error429",
        "Error502",
        "Error503",
    ]
