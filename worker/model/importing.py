"""Imports a module of the author's, and says in his terms what went wrong."""

from __future__ import annotations

import inspect
import os
import sys
from types import ModuleType
from typing import Any

from ..errors import LoadFailed
from ..tracebacks import AuthorTracebacks, in_words
from . import pickles


def import_module(name: str, folder: str, root: str, tracebacks: AuthorTracebacks) -> ModuleType:
    """Run the folder's `<name>.py` as the module `name`, with the folder first on `sys.path` and `root` second.

    Raises LoadFailed, from what the module raised.
    """
    if sys.path[:2] != [folder, root]:
        sys.path[:0] = [folder, root]
    place = _Place(f"{name}.py", tracebacks)
    try:
        return __import__(name)
    except SyntaxError as error:
        raise LoadFailed(f"{place.of(error)}: {in_words(error)}") from error
    except ModuleNotFoundError as error:
        raise LoadFailed(f"{place.of(error)}: no module named {error.name!r}; {remedy(error)}") from error
    except (ImportError, NameError) as error:
        raise LoadFailed(f"{place.of(error)}: {in_words(error)}{_advice(error, name)}") from error
    except BaseException as error:
        raise raised(error, tracebacks, place.of(error), f"importing {name}.py") from error


def raised(error: BaseException, tracebacks: AuthorTracebacks, place: str, doing: str) -> LoadFailed:
    """What may go better on another try, unless it is known what is to be changed first."""
    advice = pickles.advice(error, tracebacks.folder)
    if isinstance(error, ModuleNotFoundError):
        advice = f"; {remedy(error)}"
    return LoadFailed(f"{place}: {doing} raised {in_words(error)}{advice}", heals=not advice)


def place_of(thing: Any, unknown: str = "etls.py") -> str:
    """Like `etls.py, line 3`, where the source is known."""
    try:
        line = inspect.getsourcelines(thing)[1]
        return f"{os.path.basename(inspect.getsourcefile(thing) or unknown)}, line {line}"
    except (OSError, TypeError):
        return unknown


def classes(module: ModuleType) -> list[type]:
    """Each class in the module's namespace once, whatever number of names it has."""
    found = (value for value in vars(module).values() if inspect.isclass(value))
    return list({id(each): each for each in found}.values())  # a class's own hash may be missing or fail


class _Place:
    """Of an error in a file, which may be unreadable, say."""

    def __init__(self, file: str, tracebacks: AuthorTracebacks) -> None:
        self._file = file
        self._tracebacks = tracebacks

    def of(self, error: BaseException) -> str:
        return self._tracebacks.where(error) or self._file


def remedy(error: ModuleNotFoundError) -> str:
    """What to do about a module that is missing."""
    missing = (error.name or "").partition(".")[0]
    if missing == "etls":
        return (
            "a run does without etls.py where train.py trains, so that a change of etls.py alone starts no run; "
            "put what both need into a module of its own"
        )
    return (
        f"if {missing!r} is a package, list what provides it in the folder's requirements.txt; "
        f"if it is a folder beside this one, list it under 'uses' in model.yaml"
    )


def _advice(error: ImportError | NameError, name: str) -> str:
    if str(error).startswith("attempted relative import"):
        return f"; modules beside {name}.py are imported without the dot: 'from helper import x', not 'from .helper'"
    return ""
