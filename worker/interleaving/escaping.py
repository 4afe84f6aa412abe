"""Functions within a function that may be called after it has ended: they are returned, stored or handed on."""

from __future__ import annotations

import ast

from .effects import CALLING_AT_ONCE
from .names import AnyFunction


class Escaping:
    """Of one function: the functions directly within it that may outlive it."""

    def __init__(self, function: AnyFunction) -> None:
        self._at_once = {id(used) for node in ast.walk(function) if isinstance(node, ast.Call) for used in _used(node)}
        self._kept = {
            node.id
            for node in ast.walk(function)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in self._at_once
        }

    def __contains__(self, node: object) -> bool:
        if isinstance(node, ast.Lambda):
            return id(node) not in self._at_once
        decorated = bool(getattr(node, "decorator_list", ()))
        return decorated or getattr(node, "name", None) in self._kept


def _used(call: ast.Call) -> list[ast.expr]:
    """The functions that a call calls and lets go."""
    name = getattr(call.func, "attr", getattr(call.func, "id", None))
    handed = [*call.args, *(each.value for each in call.keywords)] if name in CALLING_AT_ONCE else []
    return [call.func, *handed]
