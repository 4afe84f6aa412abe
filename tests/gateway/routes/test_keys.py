"""What a key lets through, by a clock of the test's."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from gateway.http.refusals import Refused
from gateway.messages import KeyGrant
from gateway.routes.keys import Callers


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


CLOCK = Clock()


def callers(before: Callers | None = None, **keys: dict[str, Any]) -> Callers:
    """Keys by their text."""
    grants = {
        hashlib.sha256(text.encode()).hexdigest(): KeyGrant(**{"id": text, "predicts": True, **fields})
        for text, fields in keys.items()
    }
    return Callers(grants, before, now=CLOCK, clock=CLOCK)


def ask(of: Callers, authorization: str | None, model: str | None = "Iris") -> str:
    """The code, or `let in`."""
    fields = {} if authorization is None else {b"authorization": authorization.encode()}
    try:
        of.admit(fields, model)
    except Refused as refused:
        return str(refused.body.split(b'"code":"')[1].split(b'"')[0].decode())
    return "let in"


def test_only_a_key_that_is_valid_is_let_in() -> None:
    some = callers(good={}, late={"expires": CLOCK.now}, soon={"expires": CLOCK.now + 1})
    for sent in ("Bearer good", "bearer good", "BEARER  good ", "Bearer soon"):
        assert ask(some, sent) == "let in", sent
    for sent in (None, "", "good", "Bearer", "Bearer ", "Basic good", "Bearer late", "Bearer goo", "Bearer good, x"):
        assert ask(some, sent) == "key_required", sent


def test_a_key_of_another_scope_is_told_that_it_is_not_enough() -> None:
    assert ask(callers(admin={"predicts": False}), "Bearer admin") == "key_forbidden"


def test_a_key_for_some_models_asks_those_and_all_of_them_together() -> None:
    some = callers(narrow={"models": ("Iris",)})
    asked = [ask(some, "Bearer narrow", model) for model in ("Iris", "Wine", None)]
    assert asked == ["let in", "key_forbidden", "let in"]
    assert some.admit({b"authorization": b"Bearer narrow"}, None).models == {"Iris"}


def test_a_rate_holds_over_a_new_table_and_is_told_with_the_seconds_to_wait() -> None:
    some = callers(slow={"rate": 0.5})
    assert [ask(some, "Bearer slow"), ask(some, "Bearer slow")] == ["let in", "rate_limited"]
    same = callers(some, slow={"rate": 0.5}, new={})
    with pytest.raises(Refused) as refused:
        same.admit({b"authorization": b"Bearer slow"}, "Iris")
    assert refused.value.headers == ((b"retry-after", b"2"),)
    assert refused.value.status == 429
    CLOCK.now += 2.0
    assert [ask(same, "Bearer slow"), ask(same, "Bearer slow")] == ["let in", "rate_limited"]
    assert ask(callers(same, slow={"rate": 2.0}), "Bearer slow") == "let in", "another rate begins anew"


def test_what_is_refused_for_its_model_uses_nothing_of_the_rate() -> None:
    some = callers(slow={"rate": 1.0, "models": ("Iris",)})
    assert [ask(some, "Bearer slow", "Wine") for _ in range(3)] == ["key_forbidden"] * 3
    assert ask(some, "Bearer slow") == "let in"
