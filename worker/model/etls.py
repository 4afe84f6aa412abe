"""The author's class: found in `etls.py`, and constructed with what its constructor names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

from ..errors import LoadFailed
from ..tracebacks import AuthorTracebacks
from .importing import classes, place_of, raised

METHOD = "transform_predict"
_OFFERED = ("path", "onnx", "metadata")


def find_class(module: ModuleType) -> type:
    """The class to serve.

    The one named `transform_predict`; failing that, the only one with such a method: of those that the module
    defines, or, where it defines none, of those that it imports.
    """
    named = getattr(module, METHOD, None)
    if named is not None and not inspect.isclass(named):
        raise LoadFailed(f"etls.py: {METHOD} is {_kind(named)}; it must be a class, or a method of one")
    if named is not None:
        return check_method(named)
    found = [each for each in classes(module) if callable(getattr(each, METHOD, None)) and not inspect.isabstract(each)]
    found = [each for each in found if each.__module__ == module.__name__] or found
    if len(found) == 1:
        return check_method(found[0])
    raise LoadFailed(_several(found) if found else _none(module))


def check_method(kind: type, name: str = METHOD) -> type:
    """The class itself. Raises LoadFailed where it has no such method, or one that can't be called as it should."""
    method = getattr(kind, name, None)
    if not callable(method):
        raise LoadFailed(f"{place_of(kind)}: the class {kind.__name__} has no method {name}")
    if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
        raise LoadFailed(
            f"{place_of(method)}: {kind.__name__}.{name} is a coroutine, which is not supported yet; "
            "write it with 'def'; if it waits on the network, declare serve.threads in model.yaml"
        )
    return kind


def construct(kind: type, offers: Mapping[str, Callable[[], Any]], tracebacks: AuthorTracebacks) -> Any:
    """An instance, given those of the offers that its constructor names; the others are not even made."""
    positional, named = [], {}
    for parameter in constructor_parameters(kind, offers):
        if parameter.name not in offers:
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(offers[parameter.name]())
        else:
            named[parameter.name] = offers[parameter.name]()
    try:
        return kind(*positional, **named)
    except LoadFailed:
        raise
    except BaseException as error:
        place = tracebacks.where(error) or place_of(kind)
        raise raised(error, tracebacks, place, f"constructing {kind.__name__}") from error


def constructor_parameters(kind: type, offers: Iterable[str] = _OFFERED) -> list[inspect.Parameter]:
    """What the constructor names. Raises LoadFailed where it needs something that is not offered."""
    try:
        parameters = list(inspect.signature(kind).parameters.values())
    except (TypeError, ValueError):  # a class of a C extension tells nothing
        return []
    for parameter in parameters:
        needed = parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        )
        if needed and parameter.name not in {*_OFFERED, *offers}:
            raise LoadFailed(
                f"{place_of(kind)}: the constructor of {kind.__name__} needs {parameter.name!r}; "
                f"it can be given {', '.join(_OFFERED)}: name those, or give {parameter.name!r} a default"
            )
    return [each for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]


def _none(module: ModuleType) -> str:
    own = [each for each in classes(module) if each.__module__ == module.__name__]
    there = ", ".join(f"{each.__name__} ({place_of(each)})" for each in own)
    return f"etls.py: no class with a method {METHOD}; " + (f"there are: {there}" if there else "it defines no class")


def _several(found: list[type]) -> str:
    listed = ", ".join(f"{each.__name__} ({place_of(each)})" for each in found)
    return f"etls.py: several classes have a method {METHOD}: {listed}; name the one to serve {METHOD!r}"


def _kind(thing: object) -> str:
    return f"a {type(thing).__name__}"
