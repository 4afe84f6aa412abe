"""A class that trains, saves and loads itself: made and loaded to serve, or to be judged."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from typing import Any

from ..errors import ContractBroken, LoadFailed
from ..tracebacks import AuthorTracebacks, print_traceback
from .arguments import Arguments
from .importing import place_of, raised


def make(kind: type, model_params: Mapping[str, Any], *, to_serve: bool) -> Any:
    """An instance: made with `model_params`, but to serve without arguments, if it has defaults for all.

    Raises ContractBroken for arguments that don't fit; else what the constructor raises.
    """
    params = {} if to_serve and not _needs_some(kind) else model_params
    place = place_of(kind, f"{kind.__module__}.py")
    return Arguments(params=params, key="train.model_params").call(kind, f"the constructor of {kind.__name__}", place)


def make_and_load(kind: type, model_params: Mapping[str, Any], artifact: str, tracebacks: AuthorTracebacks) -> Any:
    """An instance that serves the artifact in that folder. Raises LoadFailed; destroys what it can't load."""
    file = f"{kind.__module__}.py"
    try:
        instance = make(kind, model_params, to_serve=True)
    except ContractBroken as error:
        raise LoadFailed(str(error)) from None
    except BaseException as error:
        place = tracebacks.where(error) or place_of(kind, file)
        raise raised(error, tracebacks, place, f"constructing {kind.__name__}") from error
    load = getattr(instance, "load", None)
    if not callable(load):
        raise LoadFailed(f"{place_of(kind, file)}: the class {kind.__name__} has no method load(self, path)")
    try:
        load(os.path.join(artifact, ""))
    except BaseException as error:
        destroy(instance, tracebacks)
        place = tracebacks.where(error) or place_of(load, file)
        raise raised(error, tracebacks, place, f"{kind.__name__}.load") from error
    return instance


def destroy(instance: Any, tracebacks: AuthorTracebacks) -> None:
    """Call its `destroy`, if it has one. What that raises is printed: nothing depends on it any more."""
    try:
        method = getattr(instance, "destroy", None)
        if callable(method):
            method()
    except BaseException as error:
        print_traceback(f"{type(instance).__name__}.destroy raised; nothing else is affected", error, tracebacks)


def _needs_some(kind: type) -> bool:
    """Whether the constructor has an argument without a default."""
    try:
        parameters = inspect.signature(kind).parameters.values()
    except (TypeError, ValueError):  # a class of a C extension tells nothing
        return False
    return any(
        each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD) for each in parameters
    )
