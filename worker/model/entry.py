"""The author's function or class that trains: in `train.py`, or in `etls.py` where there is no `train.py`."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ..errors import ContractBroken
from .importing import classes, place_of

METHOD = "train"
MODULES = ("train", "etls")


def module_name(folder: str) -> str:
    """Raises ContractBroken where there is neither."""
    for name in MODULES:
        if os.path.isfile(os.path.join(folder, f"{name}.py")):
            return name
    raise ContractBroken(
        "the folder has neither a train.py nor an etls.py: there is nothing to train; "
        "write a train.py with a function train, or take 'train' out of model.yaml"
    )


def find_entry(module: ModuleType, name: str | None) -> Callable[..., Any]:
    """The one named; else the function `train`; else the only class with a method `train`.

    What the module defines goes before what it imports. Raises ContractBroken.
    """
    found = _named(module, name) if name is not None else _found(module)
    file = f"{module.__name__}.py"
    if not callable(found):
        raise ContractBroken(f"{file}: {name or METHOD} is a {type(found).__name__}; it must be a function or a class")
    if what := not_run_by_a_call(found):
        raise ContractBroken(f"{place_of(found, file)}: {name or METHOD} is {what}; it must be a plain function")
    entry: Callable[..., Any] = found
    return entry


def not_run_by_a_call(function: Any) -> str | None:
    """What it is, where calling it does not run its code."""
    if inspect.isgeneratorfunction(function):
        return "a generator"
    return "a coroutine" if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function) else None


def _named(module: ModuleType, name: str) -> Any:
    if (found := vars(module).get(name)) is None:
        raise ContractBroken(
            f"{module.__name__}.py: it has no {name!r}, which train.entry in model.yaml names; {_there(module)}"
        )
    return found


def _found(module: ModuleType) -> Any:
    """A library's function of that name is not the author's, where there is a class of his."""
    function = getattr(module, METHOD, None)
    own = [each for each in _classes(module) if each.__module__ == module.__name__]
    is_own = getattr(function, "__module__", module.__name__) == module.__name__
    return function if function is not None and (is_own or not own) else _only_class(module, own)


def _classes(module: ModuleType) -> list[type]:
    return [each for each in classes(module) if callable(getattr(each, METHOD, None)) and not inspect.isabstract(each)]


def _only_class(module: ModuleType, own: list[type]) -> type:
    file = f"{module.__name__}.py"
    found = own or _classes(module)
    if len(found) > 1:
        listed = ", ".join(f"{each.__name__} ({place_of(each, file)})" for each in found)
        raise ContractBroken(
            f"{file}: several classes have a method {METHOD}: {listed}; name the one to train as train.entry in "
            "model.yaml"
        )
    if not found:
        lacks = f"neither a function {METHOD} nor a class with a method {METHOD}"
        raise ContractBroken(f"{file}: it has {lacks}; {_there(module)}{_rename(file)}")
    return found[0]


def _rename(file: str) -> str:
    script = "; give it another name if it is a script that you run yourself"
    return script if file == f"{METHOD}.py" else ""


def _there(module: ModuleType) -> str:
    own = [
        each
        for each in vars(module).values()
        if (inspect.isfunction(each) or inspect.isclass(each)) and each.__module__ == module.__name__
    ]
    there = ", ".join(f"{each.__name__} ({place_of(each, module.__name__ + '.py')})" for each in own)
    return f"it defines {there}" if there else "it defines no function and no class"
