"""What a call changes: by the author's own functions as they were read, by others' names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Protocol

from . import effects
from .construction import last_name
from .origins import FRESH, SELF, Value, held_by
from .outputs import saves, written_into
from .scope import UNKNOWN
from .values import Values


class Changes(Protocol):
    """Takes down what is changed."""

    def change(self, value: Value, node: ast.AST, what: str) -> None: ...

    def note(self, node: ast.AST, what: str) -> None: ...

    def put_into(self, container: ast.expr, value: Value) -> None: ...


def check_call(node: ast.Call, values: Values, changes: Changes) -> None:
    name = last_name(node.func)
    _check_own(node, values, changes)
    _check_handed_functions(node, values, changes)
    _check_getattr(node, name, values, changes)
    for written in written_into(node, name, values):
        changes.change(values.of(written), node, f"lets {name} write into {ast.unparse(written)}")
    if saves(node, name):
        changes.note(node, f"calls {ast.unparse(node.func)}, which writes to the disk, where others may too")
    on = values.known(node.func.value) if isinstance(node.func, ast.Attribute) else UNKNOWN
    if isinstance(node.func, ast.Attribute) and not isinstance(on, ModuleType | type):
        _check_method(node, node.func, values, changes)
    else:
        _check_function(node, name, values, changes)
    if isinstance(on, type) and name in effects.CHANGING_METHODS and node.args:
        changes.change(values.of(node.args[0]), node, f"calls {name} on {ast.unparse(node.args[0])}, which changes it")
    if name not in effects.HARMLESS_WITH_SELF and not values.summaries(node.func):
        _check_self(node, name, values, changes)


def _check_own(node: ast.Call, values: Values, changes: Changes) -> None:
    """An author's function changes what it is given."""
    for summary in values.summaries(node.func):
        bound = values.arguments(node, summary)
        for parameter, inside in summary.changes:
            value = bound.get(parameter, FRESH)
            what = f"hands what requests share to {last_name(node.func)}, which changes its {parameter}"
            changes.change(held_by(value) if inside else value, node, what)


def _check_handed_functions(node: ast.Call, values: Values, changes: Changes) -> None:
    """`map(change, self.things)`: the callee calls a function of the author's with what else it got."""
    given = [*node.args, *(each.value for each in node.keywords)]
    if any(_is_function(each) and _changes_arguments(each, values) for each in given):
        on = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        for each in (*on, *given):
            if not _is_function(each) or not values.summaries(each):
                value = values.of(each)
                what = f"has {last_name(node.func)} call a function that changes what it is given"
                changes.change(value | held_by(value), node, what)


def _changes_arguments(function: ast.expr, values: Values) -> bool:
    """An author's function by what it does, another's by its name."""
    known = callable(values.known(function)) and last_name(function) in effects.CHANGING_FUNCTIONS
    return known or any(summary.changes for summary in values.summaries(function))


def _is_function(node: ast.expr) -> bool:
    return isinstance(node, ast.Lambda | ast.Name | ast.Attribute)


def _check_method(node: ast.Call, function: ast.Attribute, values: Values, changes: Changes) -> None:
    in_place = any(each.arg == "inplace" and not _is_false(each.value) for each in node.keywords)
    if function.attr == "__init__":
        if not _is_super(function.value):
            changes.note(node, f"calls {ast.unparse(function)}")
    elif function.attr in effects.CHANGING_METHODS or in_place or _is_in_place_name(function.attr):
        changes.change(values.of(function.value), node, f"calls {ast.unparse(function)}, which changes it")
        for value in _given(node, values):
            changes.put_into(function.value, value)


def _is_in_place_name(name: str) -> bool:
    """PyTorch's `add_`, and what begins with a verb: `set_x`, `addHandler`."""
    return (name.endswith("_") and not name.endswith("__")) or (
        _VERB.match(name) is not None and name not in effects.RETURNING_NEW
    )


_VERB = re.compile(
    r"(set|add|remove|insert|append|register|unregister|enable|disable|delete|clear|reset|push)(_|[A-Z])"
)


def _check_function(node: ast.Call, name: str, values: Values, changes: Changes) -> None:
    if name in effects.RUNS_ANYTHING and isinstance(node.func, ast.Name):
        changes.note(node, f"calls {name}, which may change anything")
    elif _draws(node, values):
        changes.note(node, f"calls {ast.unparse(node.func)}, which works on what all requests share")
    elif _changes_process(name) and not values.summaries(node.func):
        changes.note(node, f"calls {ast.unparse(node.func)}, which changes the whole process")
    for each in _changed_arguments(node, name, values):
        changes.change(values.of(each), node, f"calls {name} on {ast.unparse(each)}, which changes it")


def _draws(node: ast.Call, values: Values) -> bool:
    on = values.known(node.func.value) if isinstance(node.func, ast.Attribute) else UNKNOWN
    module = on.__name__ if isinstance(on, ModuleType) else getattr(values.known(node.func), "__module__", None)
    return module in effects.DRAWING


def _changes_process(name: str) -> bool:
    return name in effects.CHANGING_MODULE_FUNCTIONS or name.startswith("set_")


def _changed_arguments(node: ast.Call, name: str, values: Values) -> list[ast.expr]:
    """Those that a function of a library changes: often the first."""
    without_copy = any(each.arg == "copy" and _is_false(each.value) for each in node.keywords)
    is_first = name in effects.CHANGING_FUNCTIONS or (without_copy and name in effects.IN_PLACE_WITHOUT_COPY)
    return node.args[:1] if is_first else []


def check_handed_method(node: ast.Attribute, values: Values, changes: Changes) -> None:
    """`map(self.found.append, rows)`: a method that isn't called here, but will be."""
    known = values.known(node)
    if node.attr in effects.CHANGING_METHODS and (known is UNKNOWN or callable(known)):
        changes.change(values.of(node.value), node, f"hands on {ast.unparse(node)}, which changes it")


def _check_self(node: ast.Call, name: str, values: Values, changes: Changes) -> None:
    for value in _given(node, values):
        if any(origin.of == SELF and not origin.inside for origin in value):
            changes.note(node, f"hands self to {name or 'a function'}, which may change it")


def _check_getattr(node: ast.Call, name: str, values: Values, changes: Changes) -> None:
    if name == "methodcaller" and node.args and getattr(node.args[0], "value", None) in effects.CHANGING_METHODS:
        changes.note(node, f"makes a caller of {ast.unparse(node.args[0])}")
    named = node.args[1] if name == "getattr" and len(node.args) > 1 else None
    if isinstance(named, ast.Constant) and named.value in effects.CHANGING_METHODS:
        changes.change(values.of(node.args[0]), node, f"gets {named.value} of {ast.unparse(node.args[0])}")


def _given(node: ast.Call, values: Values) -> Iterator[Value]:
    return (values.of(each) for each in (*node.args, *(each.value for each in node.keywords)))


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) == "super"
