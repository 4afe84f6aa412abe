"""What the names of one function stand for, and what is known of it from the objects that exist already."""

from __future__ import annotations

import ast
import builtins
from types import BuiltinFunctionType, ModuleType
from typing import Any

from .functions import Function
from .names import comprehension_names, local_names
from .origins import FRESH, GLOBAL, THE_OBJECT, Value, parameter

UNKNOWN = object()

_PLAIN = (int, float, complex, bool, str, bytes, type(None), range, BuiltinFunctionType)
_PLAIN_MODULES = frozenset({"datetime", "decimal", "fractions", "uuid", "re", "pathlib", "pathlib._local", "zoneinfo"})

_MADE_IN_PYTHON = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: such classes can be assigned to, C's own can't.
https://docs.python.org/3/c-api/typeobj.html#c.Py_TPFLAGS_HEAPTYPE"""


class Scope:
    """Names of a function, those around it, the module's."""

    def __init__(self, function: Function, instance: object, outer: Scope | None = None) -> None:
        """`instance`: the object that serves requests, for its class's methods."""
        self.function = function
        self.instance = instance
        self.outer = outer
        self.imported: dict[str, Any] = {}
        """What names that are imported here stand for."""
        self._local = local_names(function.node) - _declared(function.node)
        loose = comprehension_names(function.node) - self._local
        self._values: dict[str, Value] = {name: self._around(name) for name in loose}
        self._local |= loose
        self._bind_parameters()

    def bind(self, name: str, value: Value) -> None:
        """Add to what a local name, or one around, may stand for."""
        if name in self._local:
            self._values[name] = self._values.get(name, FRESH) | value
        elif self.outer is not None:
            self.outer.bind(name, value)

    def receiver_value(self) -> Value:
        """What `self` is, here or around."""
        receiver = self.function.receiver
        if receiver is not None:
            return self._values[receiver]
        return self.outer.receiver_value() if self.outer is not None else FRESH

    def state(self) -> dict[str, Value]:
        """What the local names stand for by now."""
        return dict(self._values)

    def value(self, name: str) -> Value:
        return self._values.get(name, FRESH) if name in self._local else self._around(name)

    def known(self, expression: ast.expr) -> Any:
        """The object that a name or a dotted name stands for, or UNKNOWN. Runs none of the author's code."""
        if isinstance(expression, ast.Name):
            if expression.id == self.function.receiver and self._serves_requests():
                return self.instance
            if expression.id in self._local or expression.id in self.function.around:
                return self.imported.get(expression.id, UNKNOWN)
            return self._global(expression.id) if self.outer is None else self.outer.known(expression)
        if isinstance(expression, ast.Attribute):
            return _attribute(self.known(expression.value), expression.attr)
        return UNKNOWN

    def _around(self, name: str) -> Value:
        if name in self.function.around:
            return GLOBAL
        if self.outer is not None:
            return self.outer.value(name)
        return FRESH if is_plain(self._global(name)) else GLOBAL

    def _serves_requests(self) -> bool:
        owner = self.function.owner
        return owner is not None and self.function.source.names.get(owner.name) in type(self.instance).__mro__

    def _global(self, name: str) -> Any:
        names = self.function.source.names
        return names[name] if name in names else getattr(builtins, name, UNKNOWN)

    def _bind_parameters(self) -> None:
        arguments = self.function.node.args
        every = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
        for each in [*every, *filter(None, (arguments.vararg, arguments.kwarg))]:
            self._values[each.arg] = parameter(each.arg)
        for each in _with_lasting_default(arguments):
            self._values[each.arg] |= GLOBAL
        if (receiver := self.function.receiver) is not None:
            self._values[receiver] = FRESH if self.function.constructs else THE_OBJECT


def is_plain(thing: Any) -> bool:
    """Whether it can't be changed, so that it doesn't matter who else has it."""
    kind = type(thing)
    if kind is tuple or kind is frozenset:
        return all(map(is_plain, thing))
    if kind is type and not thing.__flags__ & _MADE_IN_PYTHON:
        return True
    return kind in _PLAIN or kind.__module__ in _PLAIN_MODULES


def is_container(thing: Any) -> bool:
    """Whether what it returns may be objects that it holds; True for the unknown."""
    return thing is UNKNOWN or type(thing).__module__ in ("builtins", "collections", "types")


def library(thing: Any) -> str:
    """The top module of a function or a module, empty where it is unknown."""
    if isinstance(thing, ModuleType):
        return thing.__name__.partition(".")[0]
    name = getattr(thing, "__module__", None) if type(thing).__module__ == "builtins" else None
    return str(name or type(thing).__module__).partition(".")[0]


def _attribute(thing: Any, name: str) -> Any:
    if thing is UNKNOWN:
        return UNKNOWN
    for names in (getattr(thing, "__dict__", None), *(vars(each) for each in type(thing).__mro__)):
        if names is not None and name in names:
            return names[name]
    return UNKNOWN


def _declared(function: ast.AST) -> set[str]:
    found = (each for each in ast.walk(function) if isinstance(each, ast.Global | ast.Nonlocal))
    return {name for each in found for name in each.names}


def _with_lasting_default(arguments: ast.arguments) -> list[ast.arg]:
    """Parameters whose default can be changed, and then stays so for the next call."""
    positional = arguments.posonlyargs + arguments.args
    pairs = list(zip(reversed(positional), reversed(arguments.defaults), strict=False))
    keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    pairs += [(each, default) for each, default in keywords if default is not None]
    return [each for each, default in pairs if not isinstance(default, ast.Constant | ast.UnaryOp)]
