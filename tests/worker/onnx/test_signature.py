from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from worker.onnx.signature import Form, Signature


class Argument(NamedTuple):
    name: str
    type: str


NUMBERS = Signature([Argument("x", "tensor(float)"), Argument("i", "tensor(int64)")], [Argument("y", "tensor(float)")])


def numbers(rows: int = 1, features: int = 4) -> dict[str, Any]:
    return {"x": np.zeros((rows, features), np.float32), "i": np.zeros(rows, np.int64)}


def fitted(signature: Signature, feeds: dict[str, Any], names: list[str] | None = None) -> tuple[Form, int]:
    fit = signature.fit(names, feeds)
    assert fit is not None
    return fit


def test_calls_of_one_form_get_the_same_one_whatever_their_rows_and_order() -> None:
    form, rows = fitted(NUMBERS, numbers())
    turned = dict(reversed(numbers(3).items()))
    assert fitted(NUMBERS, turned) == (form, 3)
    assert rows == 1
    assert (form.outputs, list(form.inputs)) == (["y"], [("x", (4,)), ("i", ())])


def test_asking_for_all_outputs_is_asking_for_each() -> None:
    assert fitted(NUMBERS, numbers(), ["y"]) == fitted(NUMBERS, numbers()) == fitted(NUMBERS, numbers(), [])


def test_other_outputs_or_shapes_are_another_form() -> None:
    form, _ = fitted(NUMBERS, numbers())
    assert fitted(NUMBERS, numbers(features=5))[0] is not form
    assert fitted(NUMBERS, numbers(), ["y", "y"])[0] is not form


def test_sessions_share_no_forms() -> None:
    arguments = [Argument("x", "tensor(float)")]
    one, other = Signature(arguments, arguments), Signature(arguments, arguments)
    feeds = {"x": np.zeros((1, 4), np.float32)}
    assert fitted(one, feeds)[0] != fitted(other, feeds)[0]


def test_texts_of_any_length_are_of_one_form_and_objects_of_another() -> None:
    texts = Signature([Argument("t", "tensor(string)")], [Argument("y", "tensor(float)")])
    short, long = {"t": np.array(["a"])}, {"t": np.array(["a long one", "b"])}
    assert fitted(texts, short)[0] is fitted(texts, long)[0]
    assert fitted(texts, {"t": np.array(["a"], dtype=object)})[0] is not fitted(texts, short)[0]


UNUSUAL: dict[str, Any] = {
    "no rows": numbers(0),
    "uneven rows": {**numbers(1), "i": np.zeros(2, np.int64)},
    "another type": {**numbers(1), "i": np.zeros(1, np.int32)},
    "a list": {**numbers(1), "i": [0]},
    "one too few": {"x": numbers()["x"]},
    "another name": {"x": numbers()["x"], "j": numbers()["i"]},
}


@pytest.mark.parametrize("feeds", UNUSUAL.values(), ids=UNUSUAL)
def test_what_is_unusual_fits_nothing_however_often_it_comes(feeds: Any) -> None:
    assert [NUMBERS.fit(None, feeds) for _ in range(2)] == [None, None]


def test_unknown_outputs_fit_nothing_however_often_they_are_asked_for() -> None:
    assert [NUMBERS.fit(["z"], numbers()) for _ in range(2)] == [None, None]


def test_forms_are_forgotten_before_they_are_too_many() -> None:
    signature = Signature([Argument("x", "tensor(float)")], [Argument("y", "tensor(float)")], most_forms=10)

    def form(features: int) -> Form:
        return fitted(signature, {"x": np.zeros((1, features), np.float32)})[0]

    first = form(1)
    for features in range(2, 11):
        form(features)
    assert form(1) is first
    form(11)
    assert form(1) is not first
