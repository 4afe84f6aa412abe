from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import starlette.exceptions

from tests.worker.processes import serving
from worker.model.refusal import refusal
from worker.wire.messages import Raised

REFUSES = """
    class Refusal(Exception):
        def __init__(self, status_code, message="", **more):
            super().__init__(message)
            self.status_code = status_code
            vars(self).update(more)

    class Refuses:
        def __init__(self):
            self.calls = 0
        def transform_predict(self, variables):
            if "status" in variables:
                raise Refusal(variables["status"], "no such customer")
            return {}
"""

ALL = """
    from dataclasses import dataclass

    class Refusal(Exception):
        status_code = 409

    @dataclass
    class Person:
        age: int
        def __post_init__(self):
            if self.age > 150:
                raise Refusal("too old")

    class Typed:
        def transform_predict(self, person: Person):
            return {"age": person.age}
"""


class Error(Exception):
    def __init__(self, status_code: Any, message: str = "", **more: Any) -> None:
        super().__init__(message)
        self.status_code = status_code
        vars(self).update(more)


@pytest.mark.parametrize("status", [400, 404, 429, 499, HTTPStatus.CONFLICT])
def test_an_integer_of_400_to_499_is_a_refusal(status: int) -> None:
    refused = refusal(Error(status, "no"))
    assert refused is not None
    assert (refused.status, refused.code, str(refused)) == (int(status), "refused", "no")


@pytest.mark.parametrize("status", [None, True, 399, 500, 503, 200, 0, -400, 404.0, "404", 10**30])
def test_anything_else_is_a_failure(status: Any) -> None:
    assert refusal(Error(status, "no")) is None


def test_an_exception_without_a_status_is_a_failure() -> None:
    assert refusal(ValueError("no")) is None


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (Error(404, "said", detail="in detail"), "in detail"),
        (Error(404, "said", detail=None), "said"),
        (Error(404, "said", detail={"why": ["a", 1]}), '{"why":["a",1]}'),
        (Error(404, "said", detail={"why": Path("a")}), '{"why":"a"}'),
        (Error(404), "Error"),
        (Error(404, "half \ud800"), "half \\ud800"),
        (starlette.exceptions.HTTPException(404, "no such row"), "no such row"),
        (starlette.exceptions.HTTPException(404), "Not Found"),
    ],
)
def test_its_message_is_the_detail_or_what_it_says(error: Exception, message: str) -> None:
    assert str(refusal(error)) == message


def test_a_long_message_is_shortened() -> None:
    assert len(str(refusal(Error(404, "x" * 100_000)))) == 2000


def test_an_exception_whose_attributes_raise_is_a_failure() -> None:
    class Odd(Exception):
        @property
        def status_code(self) -> int:
            raise RuntimeError

        @property
        def detail(self) -> str:
            raise AssertionError("not asked for")

    assert refusal(Odd()) is None


@pytest.mark.parametrize("threads", [0, 2])
def test_a_request_that_the_class_refuses_is_answered_with_its_status_and_not_reported(
    tmp_path: Path, threads: int
) -> None:
    with serving(tmp_path, REFUSES, threads=threads) as worker:
        told = {"code": "refused", "message": "no such customer"}
        assert worker.ask({"variables": {"status": 404}}) == (404, {"error": told})
        assert worker.ask({"variables": [{}, {"status": 422}, {}]}) == (422, {"error": {**told, "index": 1}})
        status, answer = worker.ask({"variables": {"status": 500}})
        assert (status, answer["error"]["code"]) == (500, "model_error")
        first = worker.hear()
        assert isinstance(first, Raised)
        assert first.error_id == answer["error"]["error_id"]


def test_variables_may_refuse_themselves(tmp_path: Path) -> None:
    with serving(tmp_path, ALL) as worker:
        told = {"code": "refused", "message": "too old"}
        assert worker.ask({"variables": {"age": 151}}) == (409, {"error": told})
        assert worker.ask({"variables": [{"age": 1}, {"age": 151}]}) == (409, {"error": {**told, "index": 1}})
