"""Whether requests of one object may interleave: switch at its sessions' calls and not see each other.

The author's own modules are read, not run. What can't be told is unsafe: a needless "one at a time" costs speed and
says why, a wrong "safe" mixes two callers' answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from .functions import Function, find_functions
from .in_use import attributes, find_held
from .mutations import Reading
from .origins import Summary
from .scope import Scope
from .sources import Source, SourceMissing, own_modules, read_source


def why_not_interleave(instance: object, module: ModuleType, root: str) -> str | None:
    """The reason, in words with file and line, why requests must come one at a time; None where none was found.

    `module` holds the object's class, `root` is the release's folder: every module loaded from there is looked at.
    """
    modules = own_modules(root, module)
    try:
        sources = [read_source(each, root) for each in modules]
        return _in_sources(instance, sources) or _in_objects(instance, modules)
    except SourceMissing as error:
        return str(error)
    except RecursionError:
        return "its source is too deeply nested to be read"


def _in_sources(instance: object, sources: Sequence[Source]) -> str | None:
    functions = find_functions(sources, type(instance))
    if problem := _method_without_source(instance, functions):
        return problem
    found = _read(functions, instance)
    if not found:
        return None
    source, line, title, what = min(found, key=lambda each: each[:2])
    return f"{title} {what} ({source}, line {line})"


def _method_without_source(instance: object, functions: Sequence[Function]) -> str | None:
    method = getattr(type(instance), "transform_predict", None)
    code = getattr(method, "__code__", None)
    known = {(each.name, each.node.lineno) for each in functions}
    decorated = {(each.name, line) for each in functions for line in _decorator_lines(each)}
    if method is None or (code is not None and (code.co_name, code.co_firstlineno) in known | decorated):
        return None
    return "the source of transform_predict can't be found"


def _decorator_lines(function: Function) -> list[int]:
    return [each.lineno for each in getattr(function.node, "decorator_list", ())]


def _read(functions: Sequence[Function], instance: object) -> list[tuple[str, int, str, str]]:
    """Every change of what is shared: file, line, function, what it does. Read again until no function's summary
    changes, for what one does depends on those it calls."""
    summaries: dict[str, list[Summary]] = {}
    while True:
        readings = [Reading(Scope(each, instance), summaries) for each in functions]
        news: dict[str, list[Summary]] = {}
        for function, reading in zip(functions, readings, strict=True):
            for name in _called_as(function):
                news.setdefault(name, []).append(reading.read())
        if news == summaries:
            return [
                (function.source.file, change.line, function.title, change.what)
                for function, reading in zip(functions, readings, strict=True)
                for change in reading.changed
            ]
        summaries = news


def _called_as(function: Function) -> list[str]:
    """A constructor goes by its class's name, too."""
    own = [function.name]
    return [*own, function.owner.name] if function.owner is not None and function.name == "__init__" else own


def _in_objects(instance: object, modules: Sequence[ModuleType]) -> str | None:
    own = frozenset(each.__name__ for each in modules)
    names: dict[str, Any] = {f"self{name}": value for name, value in attributes(instance)}
    for kind in type(instance).__mro__:
        if kind.__module__ in own:
            names.update({f"{kind.__name__}.{name}": value for name, value in vars(kind).items()})
    for module in modules:
        names.update({f"{module.__name__}.{name}": value for name, value in vars(module).items() if name[:2] != "__"})
    return find_held(names, own)
