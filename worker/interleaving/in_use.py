"""What an object holds that another request would see in use: locks, thread-locals, iterators, open files."""

from __future__ import annotations

import functools
import io
import threading
from collections.abc import Iterator
from types import BuiltinMethodType, MemberDescriptorType, ModuleType
from typing import Any

from .effects import CHANGING_FUNCTIONS, CHANGING_METHODS

_MAX_THINGS = 10_000
_MAX_DEPTH = 6

_LOCKS = (
    type(threading.Lock()),
    type(threading.RLock()),
    threading.Condition,
    threading.Semaphore,
    threading.Event,
    threading.Barrier,
    threading.local,
)
_WORDS = {threading.local: "a thread-local"}


def find_held(names: dict[str, Any], own_modules: frozenset[str]) -> str | None:
    """The first such thing among named ones, in words; None where there is none.

    Looked into are containers, and objects of classes from `own_modules`.
    """
    seen: set[int] = set()
    waiting = [(name, thing, 0) for name, thing in names.items()]
    while waiting:
        name, thing, depth = waiting.pop(0)
        if (what := _what(thing)) is not None:
            return f"{name} is {what}"
        if id(thing) in seen or len(seen) > _MAX_THINGS or depth > _MAX_DEPTH:
            continue
        seen.add(id(thing))
        waiting += [(f"{name}{step}", inner, depth + 1) for step, inner in _inside(thing, own_modules)]
    return None


def _what(thing: Any) -> str | None:
    kind = type(thing)
    if issubclass(kind, _LOCKS):
        return "a thread-local" if issubclass(kind, threading.local) else f"a {kind.__name__}"
    if "multiprocessing" in kind.__module__ and hasattr(kind, "acquire"):
        return f"a {kind.__name__}"
    if issubclass(kind, io.IOBase):
        return "an open file"
    if (method := _changing(thing)) is not None:
        return method
    return "an iterator" if hasattr(kind, "__next__") else None


def _changing(thing: Any) -> str | None:
    """`self.add = self.rows.append`, or the same by `functools.partial`."""
    if type(thing) is functools.partial:
        name = getattr(thing.func, "__name__", "")
        return _changing(thing.func) or (f"a partial of {name}" if name in CHANGING_FUNCTIONS else None)
    if type(thing) is not BuiltinMethodType or isinstance(thing.__self__, ModuleType | type | None):
        return None
    return f"the {thing.__name__} of a {type(thing.__self__).__name__}" if thing.__name__ in CHANGING_METHODS else None


def _inside(thing: Any, own_modules: frozenset[str]) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, dict):
        for key, value in list(thing.items())[:_MAX_THINGS]:
            yield f"[{key!r:.40}]", value
    elif isinstance(thing, list | tuple | set | frozenset):
        for index, value in enumerate(list(thing)[:_MAX_THINGS]):
            yield f"[{index}]", value
    elif type(thing).__module__ in own_modules:
        yield from attributes(thing)


def attributes(thing: Any) -> Iterator[tuple[str, Any]]:
    """Of an object, its slots included; found without running its author's code."""
    for name, value in getattr(thing, "__dict__", {}).items():
        yield f".{name}", value
    for kind in type(thing).__mro__:
        for name, slot in vars(kind).items():
            if type(slot) is MemberDescriptorType:
                yield f".{name}", getattr(thing, name, None)
