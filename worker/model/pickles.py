"""Pickles that name `__main__`, as one does that was written by a script which defines its classes itself. Here they
are looked up in `etls.py` and in the modules beside it."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

_MISSING = re.compile(
    r"Can't get attribute '(?P<name>\w+)[\w.]*' on <module '__main__'"
    r"|module '__main__' has no attribute '(?P<other>\w+)'"
)
_MOST_CAUSES = 10
_HARMLESS = (
    *(ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign),
    *(ast.If, ast.Try, ast.Pass),
)
"""What a module without a guard may consist of that is imported for the sake of a pickle: what else there is does
something, such as train and write the pickle anew."""


def look_in(folder: str) -> None:
    """From now on what `__main__` lacks is looked up in the folder's modules."""

    def find(name: str) -> Any:
        if not name.startswith("__"):
            for module in _modules(folder, name):
                if name in vars(module):
                    return vars(module)[name]
        raise AttributeError(f"module '__main__' has no attribute {name!r}")

    vars(sys.modules["__main__"])["__getattr__"] = find


def advice(error: BaseException, folder: str) -> str:
    """What to do, where it was such a pickle that could not be read; else empty."""
    missing = next(filter(None, map(_named, _causes(error))), None)
    if missing is None:
        return ""
    way_out = _way_out(folder, missing)
    return f"; the pickle names __main__.{missing}, as the script that wrote it defined {missing} itself: {way_out}"


def _named(error: BaseException) -> str | None:
    found = _MISSING.search(str(error)) if isinstance(error, AttributeError) else None
    return None if found is None else found["name"] or found["other"]


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if cause is not None:
            yield cause
            cause = cause.__cause__ or cause.__context__


def _way_out(folder: str, name: str) -> str:
    defining = [module for module, _ in _definitions(folder, name)]
    if len(defining) == 1:
        guard = "if __name__ == '__main__':"
        return (
            f'put what {defining[0]}.py does besides under "{guard}", '
            f"and import it in etls.py with 'from {defining[0]} import {name}'"
        )
    if defining:
        return f"{' and '.join(f'{each}.py' for each in defining)} define it: import the right one in etls.py"
    return (
        "put it in a module beside etls.py, and import it in etls.py (or, better, in the script that writes the pickle)"
    )


def _modules(folder: str, name: str) -> Iterator[ModuleType]:
    """Those that may have it, `etls.py` first, which may not be through yet."""
    if (etls := sys.modules.get("etls")) is not None:
        yield etls
    found = list(_definitions(folder, name))
    if len(found) != 1:  # none, or there is no telling which
        return
    [(module, statements)] = found
    if module in sys.modules:
        yield sys.modules[module]
    elif any(map(_is_guard, statements)) or all(map(_is_harmless, statements)):
        yield __import__(module)


def _definitions(folder: str, name: str) -> Iterator[tuple[str, list[ast.stmt]]]:
    """The modules beside `etls.py` that define it at their top, and what they consist of."""
    for file in sorted(os.listdir(folder)):
        module, suffix = os.path.splitext(file)
        if suffix == ".py" and module != "etls":
            statements = _statements(os.path.join(folder, file))
            if any(name == getattr(each, "name", None) for each in statements):
                yield module, statements


def _statements(path: str) -> list[ast.stmt]:
    try:
        with open(path, "rb") as file:
            return ast.parse(file.read()).body
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _is_guard(statement: ast.stmt) -> bool:
    """Whether it is `if __name__ == "__main__":`, by which its author says that importing the module is all right."""
    if not isinstance(statement, ast.If):
        return False
    return any(isinstance(each, ast.Name) and each.id == "__name__" for each in ast.walk(statement.test))


def _is_harmless(statement: ast.stmt) -> bool:
    is_docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_docstring or isinstance(statement, _HARMLESS)
