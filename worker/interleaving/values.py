"""Where the value of an expression may come from."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from . import effects
from .construction import last_name
from .names import AnyFunction
from .origins import FRESH, GLOBAL, Summary, Value, held_by, holding, returned
from .scope import Scope, is_container, is_plain, library

Summaries = Mapping[str, Sequence[Summary]]
"""Of the author's functions and methods, by name."""


class Values:
    """Of the expressions of one function."""

    def __init__(self, scope: Scope, summaries: Summaries, inner: dict[AnyFunction, Summary]) -> None:
        """`inner`: the functions within it and around it, as far as they are known yet."""
        self._scope = scope
        self._summaries = summaries
        self._inner = inner

    def of(self, node: ast.AST) -> Value:
        kind = _KINDS.get(type(node))
        return FRESH if kind is None else kind(self, node)

    def known(self, node: ast.expr) -> Any:
        return self._scope.known(node)

    def summaries(self, function: ast.expr) -> list[Summary]:
        """What is known of the author's function, method or class that an expression names."""
        if isinstance(function, ast.Lambda):
            return [self._inner[function]] if function in self._inner else []
        name = last_name(function)
        own = [summary for node, summary in self._inner.items() if getattr(node, "name", None) == name]
        return [*own, *self._summaries.get(name, ())] if name else []

    def arguments(self, call: ast.Call, summary: Summary) -> dict[str, Value]:
        """What a call binds a function's parameters to; anything that is unpacked may be any of them."""
        bound: dict[str, Value] = {}
        names = list(summary.parameters)
        values = [self.of(each) for each in call.args]
        if summary.method:
            values.insert(0, self.of(call.func.value) if isinstance(call.func, ast.Attribute) else FRESH)
        anywhere = frozenset[Any]().union(
            *(held_by(self.of(each.value)) for each in call.args if isinstance(each, ast.Starred)),
            *(held_by(self.of(each.value)) for each in call.keywords if each.arg is None),
        )
        for index, value in enumerate(values):
            name = names[index] if index < len(names) else summary.rest
            bound[name] = bound.get(name, FRESH) | (value if index < len(names) else holding(value))
        for each in call.keywords:
            if each.arg is not None:
                name = each.arg if each.arg in names else summary.rest
                value = self.of(each.value)
                bound[name] = bound.get(name, FRESH) | (value if each.arg in names else holding(value))
        return {name: bound.get(name, FRESH) | anywhere for name in (*names, summary.rest)}

    def _union(self, nodes: Sequence[ast.AST | None]) -> Value:
        return FRESH.union(*(self.of(each) for each in nodes if each is not None))

    def _name(self, node: ast.Name) -> Value:
        return self._scope.value(node.id)

    def _attribute(self, node: ast.Attribute) -> Value:
        value = self.of(node.value)
        if not value or is_plain(self.known(node)):
            return FRESH
        return value | held_by(value) if node.attr in effects.ACCESSORS else held_by(value)

    def _subscript(self, node: ast.Subscript) -> Value:
        value = self.of(node.value)
        return value | held_by(value) if isinstance(node.slice, ast.Slice) else held_by(value)

    def _operation(self, node: ast.BinOp) -> Value:
        """A sum of lists holds what they held; one of arrays holds nothing."""
        parts = [each for each in (node.left, node.right) if is_container(self.known(each))]
        return holding(held_by(self._union(parts)))

    def _display(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        return holding(self._union(node.elts))

    def _dictionary(self, node: ast.Dict) -> Value:
        unpacked = [value for key, value in zip(node.keys, node.values, strict=True) if key is None]
        return holding(self._union(node.values)) | holding(held_by(self._union(unpacked)))

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Value:
        return holding(self.of(node.elt))

    def _call(self, node: ast.Call) -> Value:
        result = GLOBAL if type(self.known(node.func)) is _LRU_CACHE else FRESH
        for summary in self.summaries(node.func):
            result |= returned(summary, self.arguments(node, summary))
        return result | self._library_call(node)

    def _library_call(self, node: ast.Call) -> Value:
        given = self._union([*node.args, *(each.value for each in node.keywords)])
        function, name = node.func, last_name(node.func)
        if isinstance(function, ast.Attribute) and not isinstance(self.known(function.value), ModuleType):
            return self._method_call(function, given)
        if name in effects.SINGLETONS and not self.summaries(function):
            return GLOBAL
        if name == "super":
            return self._scope.receiver_value()
        if not name or name in effects.INNER_FUNCTIONS or _takes_no_copy(node):  # `itemgetter(0)(rows)` has no name
            return given | held_by(given)
        if name in effects.NEW_RESULT_FUNCTIONS or library(self.known(function)) in effects.NUMERIC_LIBRARIES:
            return FRESH
        return holding(given) | holding(held_by(given))

    def _method_call(self, function: ast.Attribute, given: Value) -> Value:
        on = self.of(function.value)
        if function.attr in effects.INNER_METHODS:
            return on | held_by(on) | given
        if function.attr in effects.COPYING_METHODS and is_container(self.known(function.value)):
            return holding(held_by(on))
        return FRESH


def _takes_no_copy(call: ast.Call) -> bool:
    return any(
        each.arg == "copy" and isinstance(each.value, ast.Constant) and each.value.value is False
        for each in call.keywords
    )


def _either(values: Values, node: Any) -> Value:
    parts = node.values if isinstance(node, ast.BoolOp) else [node.body, node.orelse]
    return FRESH.union(*map(values.of, parts))


_LRU_CACHE = type(functools.lru_cache(len))
"""What it returns once, it returns to everybody."""

_Kind = Callable[[Values, Any], Value]

_KINDS: dict[type, _Kind] = {
    ast.Name: Values._name,
    ast.Attribute: Values._attribute,
    ast.Subscript: Values._subscript,
    ast.BinOp: Values._operation,
    ast.BoolOp: _either,
    ast.IfExp: _either,
    ast.List: Values._display,
    ast.Tuple: Values._display,
    ast.Set: Values._display,
    ast.Dict: Values._dictionary,
    ast.ListComp: Values._comprehension,
    ast.SetComp: Values._comprehension,
    ast.GeneratorExp: Values._comprehension,
    ast.DictComp: lambda values, node: holding(values.of(node.value)),
    ast.Call: Values._call,
    ast.Starred: lambda values, node: held_by(values.of(node.value)),
    ast.NamedExpr: lambda values, node: values.of(node.value),
    ast.Await: lambda values, node: values.of(node.value),
}
