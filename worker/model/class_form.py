"""A class that trains, saves and loads itself: made and loaded to serve, or to be judged."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from ..errors import ContractBroken, LoadFailed
from ..tracebacks import AuthorTracebacks, print_traceback
from .arguments import Arguments
from .entry import find_entry
from .etls import METHOD, check_method
from .importing import classes, place_of, raised

PREDICT = "predict"


def find_trained_class(module: ModuleType, entry: str | None) -> type:
    """The class that trains, to be served by its `predict`. Raises LoadFailed."""
    try:
        kind = find_entry(module, entry)
    except ContractBroken as error:
        raise LoadFailed(str(error)) from None
    if not inspect.isclass(kind):
        raise LoadFailed(
            f"{place_of(kind, _file(module))}: a function trains the model, and nothing serves it; "
            "write an etls.py, or have the function leave an .onnx"
        )
    if not callable(getattr(kind, PREDICT, None)):
        raise LoadFailed(
            f"{place_of(kind, _file(module))}: the class {kind.__name__} has no method predict(self, query), and "
            f"nothing else serves it; add one, or write an etls.py with a class that has a method {METHOD}"
        )
    return check_method(kind, PREDICT)


def serves_by_predict(module: ModuleType, entry: str | None) -> bool:
    """Whether an `etls.py` holds no more than a class that trains, and serves itself by `predict`."""
    if any(callable(getattr(each, METHOD, None)) for each in classes(module)) or hasattr(module, METHOD):
        return False
    try:
        kind = find_entry(module, entry)
    except ContractBroken:
        return False
    return inspect.isclass(kind) and trains_itself(kind) and callable(getattr(kind, PREDICT, None))


def trains_itself(kind: type) -> bool:
    """Whether it trains and loads itself."""
    return all(callable(getattr(kind, name, None)) for name in ("train", "load"))


def make(kind: type, model_params: Mapping[str, Any], *, to_serve: bool) -> Any:
    """An instance: made with `model_params`, but to serve without arguments, if it has defaults for all.

    Raises ContractBroken for arguments that don't fit; else what the constructor raises.
    """
    params = {} if to_serve and not needs_some(kind) else model_params
    place = place_of(kind, _file(kind))
    return Arguments(params=params, key="train.model_params").call(kind, f"the constructor of {kind.__name__}", place)


def make_and_load(kind: type, model_params: Mapping[str, Any], artifact: str, tracebacks: AuthorTracebacks) -> Any:
    """An instance that serves the artifact in that folder. Raises LoadFailed; destroys what it can't load."""
    try:
        instance = make(kind, model_params, to_serve=True)
    except ContractBroken as error:
        raise LoadFailed(str(error)) from None
    except BaseException as error:
        place = tracebacks.where(error) or place_of(kind, _file(kind))
        raise raised(error, tracebacks, place, f"constructing {kind.__name__}") from error
    load(instance, artifact, tracebacks)
    return instance


def load(instance: Any, artifact: str, tracebacks: AuthorTracebacks) -> None:
    """Have it load the artifact in that folder. Raises LoadFailed; destroys what can't."""
    kind = type(instance)
    method = getattr(instance, "load", None)
    if not callable(method):
        raise LoadFailed(f"{place_of(kind, _file(kind))}: the class {kind.__name__} has no method load(self, path)")
    try:
        method(os.path.join(artifact, ""))
    except BaseException as error:
        destroy(instance, tracebacks)
        place = tracebacks.where(error) or place_of(method, _file(kind))
        raise raised(error, tracebacks, place, f"{kind.__name__}.load") from error


def destroy(instance: Any, tracebacks: AuthorTracebacks) -> None:
    """Call its `destroy`, if it has one. What that raises is printed: nothing depends on it any more."""
    try:
        method = getattr(instance, "destroy", None)
        if callable(method):
            method()
    except BaseException as error:
        print_traceback(f"{type(instance).__name__}.destroy raised; nothing else is affected", error, tracebacks)


def needs_some(kind: type) -> bool:
    """Whether the constructor has an argument without a default."""
    try:
        parameters = inspect.signature(kind).parameters.values()
    except (TypeError, ValueError):  # a class of a C extension tells nothing
        return False
    return any(
        each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD) for each in parameters
    )


def _file(thing: Any) -> str:
    return f"{getattr(thing, '__module__', None) or thing.__name__}.py"
