"""Why an answer can't be written as JSON: what of it, and where. Only on the way to a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...tracebacks import bounded, in_words

ADVICE = "return a dict of JSON values, or a dataclass, TypedDict, msgspec.Struct or pydantic model of them"

_DEEPEST = 20
_LONGEST_KEY = 100

Write = Callable[[Any], bytes]
"""Raises what it raises for the answer as a whole, for the parts of it that are at fault."""


class UnknownType(Exception):
    """Nothing is known of how to write the value."""

    def __init__(self, value: object) -> None:
        super().__init__(type_name(value))
        self.value = value


class _BadKey(Exception):
    def __init__(self, key: object) -> None:
        super().__init__()
        self.key = key


def why_unwritable(answer: Any, error: Exception, write: Write) -> str:
    """`error`: what writing the answer raised."""
    if isinstance(error, RecursionError):
        return f"the answer can't be written as JSON, for it holds itself or is nested too deeply: {in_words(error)}"
    try:
        path, error = _culprit(answer, error, write, _DEEPEST)
    except Exception:  # looking at it runs the author's code
        path = ""
    place = f"the answer's {path}" if path else "the answer"
    if isinstance(error, _BadKey):
        return bounded(f"{place} has the key {_shown(error.key)}, which JSON can't have: it is {type_name(error.key)}")
    if isinstance(error, UnknownType):
        return bounded(f"{place} is {type_name(error.value)}: {ADVICE}")
    return bounded(f"{place} can't be written as JSON: {in_words(error)}")


def type_name(value: object) -> str:
    kind = type(value)
    if value is None:
        return "None"
    return f"of type {kind.__qualname__}" + ("" if kind.__module__ == "builtins" else f" ({kind.__module__})")


def _culprit(value: Any, error: Exception, write: Write, depth: int) -> tuple[str, Exception]:
    """The path to the first part that can't be written by itself, and what that raises."""
    for step, part in _parts(value) if depth else ():
        try:
            write(part)
        except Exception as its_error:
            deeper, its_error = _culprit(part, its_error, write, depth - 1)
            return step + deeper, its_error
    for key in value if isinstance(value, dict) else ():
        try:
            write({key: None})
        except Exception:
            return "", _BadKey(key)
    return "", error


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((f"[{_shown(key)}]", part) for key, part in value.items())
    elif isinstance(value, list | tuple):
        yield from ((f"[{index}]", part) for index, part in enumerate(value))
    else:
        names = (*getattr(value, "__struct_fields__", ()), *getattr(value, "__dataclass_fields__", ()))
        yield from ((f".{name}", getattr(value, name, None)) for name in names)


def _shown(key: object) -> str:
    try:
        return repr(key)[:_LONGEST_KEY]
    except Exception:  # the author's code
        return type_name(key)
