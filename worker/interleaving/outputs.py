"""Where a call leaves what it computes besides returning it: in its arguments, or on the disk."""

from __future__ import annotations

import ast
import inspect
from typing import Any

from . import effects
from .values import Values


def written_into(call: ast.Call, name: str, values: Values) -> list[ast.expr]:
    """The arguments that it writes into."""
    named = [each.value for each in call.keywords if each.arg == "out"]
    if any(each.arg is not None and each.arg.startswith("overwrite") for each in call.keywords):
        named += call.args
    if name in effects.FILLING:
        named += call.args
    return [*named, *call.args[_output_at(values.known(call.func), name, isinstance(call.func, ast.Attribute)) :]]


def saves(call: ast.Call, name: str) -> bool:
    """Whether it writes to the disk."""
    if name == "open":
        return _opens_to_write(call)
    if name in effects.SAVING:
        return any(_may_be_path(each) for each in call.args[:1])
    return name in effects.SAVING_ON and isinstance(call.func, ast.Attribute)


_NOWHERE = 1_000
"""More arguments than any call has."""


def _output_at(function: Any, name: str, is_method: bool) -> int:
    """The position of the first argument that it writes into."""
    if type(function).__name__ == "ufunc":
        return int(function.nin)
    if name in effects.OUTPUT_AT:
        is_numpys = str(getattr(function, "__module__", "")).startswith("numpy")
        return effects.OUTPUT_AT[name] - (is_method and not is_numpys)
    if not str(getattr(function, "__module__", "")).startswith("numpy"):
        return _NOWHERE
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return _NOWHERE
    return names.index("out") if "out" in names else _NOWHERE


def _opens_to_write(call: ast.Call) -> bool:
    """`open(path, mode)`, or `path.open(mode)`."""
    modes = [*call.args[1:2], *(each.value for each in call.keywords if each.arg == "mode")]
    if isinstance(call.func, ast.Attribute) and len(call.args) == 1 and _is_mode(call.args[0]):
        modes = call.args
    return any(not isinstance(each, ast.Constant) or bool(set(str(each.value)) & set("wax+")) for each in modes)


def _is_mode(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and set(node.value) <= set("rwaxbt+")


def _may_be_path(node: ast.expr) -> bool:
    """A buffer mostly goes by a name."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    return isinstance(node, ast.JoinedStr | ast.BinOp | ast.Attribute | ast.Call)
