"""Whether a folder that trains holds what a run would look for, as far as can be told without running any of it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.errors import ReleaseFailed
from core.manifest.train import Train

_MODULES = ("train.py", "etls.py")
_ENTRY = "train"
_MOST_BYTES = 1_000_000
"""Of a module that is looked into; a larger one is taken as it is."""


def check_training(folder: Path, train: Train | None) -> None:
    """Raises ReleaseFailed for code that no run could begin with: see `find_entry` in `worker/model/entry.py`."""
    file = next((folder / name for name in _MODULES if (folder / name).is_file()), None)
    if file is None:
        raise _broken("it has neither a train.py nor an etls.py; write a train.py with a function train")
    if file.stat().st_size > _MOST_BYTES:
        return
    entry = None if train is None else train.entry
    bound = list(_statements(_parsed(file).body))
    if any(isinstance(each, ast.ImportFrom) and each.names[0].name == "*" for each in bound):
        return
    if (entry or _ENTRY) in {name for each in bound for name in _names(each)}:
        return
    if entry is not None:
        raise _broken(f"{file.name} has no {entry!r}, which train.entry in model.yaml names")
    if not any(isinstance(each, ast.ClassDef) for each in bound):
        raise _broken(f"{file.name} has neither a function {_ENTRY} nor a class with a method {_ENTRY}")


def _parsed(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes(), file.name)
    except SyntaxError as error:
        where = f"{file.name}, line {error.lineno}"
        raise _broken(f"SyntaxError: {error.msg} ({where})") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise _broken(f"{file.name} can't be read as Python: {error}") from error


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Those of a module's own, whatever they depend on."""
    for statement in body:
        yield statement
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = [each for each in ast.iter_child_nodes(statement) if isinstance(each, ast.stmt)]
            parts = [*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())]
            yield from _statements([*inner, *(each for part in parts for each in part.body)])


def _names(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from ((each.asname or each.name).partition(".")[0] for each in names)
        case _:
            yield from (each.id for each in ast.walk(statement) if isinstance(each, ast.Name) and _is_set(each))


def _is_set(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _broken(message: str) -> ReleaseFailed:
    return ReleaseFailed(message, stage="load")
