from __future__ import annotations

import pytest

from core.keys import Scope
from server.access.principal import Principal

INCLUDED = {
    Scope.ADMIN: {Scope.ADMIN, Scope.OPERATE, Scope.VIEW},
    Scope.OPERATE: {Scope.OPERATE, Scope.VIEW},
    Scope.VIEW: {Scope.VIEW},
    Scope.PREDICT: {Scope.PREDICT},
}


@pytest.mark.parametrize("scope", Scope)
def test_a_scope_includes_the_lesser_ones_and_predict_stands_apart(scope: Scope) -> None:
    principal = Principal(kind="key", name="Ada", scopes=(scope,))
    assert {asked for asked in Scope if principal.may(asked)} == INCLUDED[scope]


def test_a_principal_may_what_any_of_its_scopes_allows() -> None:
    principal = Principal(kind="key", name="Ada", scopes=(Scope.VIEW, Scope.PREDICT))
    assert {asked for asked in Scope if principal.may(asked)} == {Scope.VIEW, Scope.PREDICT}


def test_whoever_showed_nothing_may_nothing() -> None:
    assert not any(Principal(kind="key", name="", scopes=()).may(scope) for scope in Scope)
