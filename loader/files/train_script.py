"""A `train.py` that its author runs by hand: a script, with nothing in it for a run of Pawl's to call."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Set

from loader.files.code_key import TRAIN

_ENTRY = "train"
_MOST_BYTES = 1_000_000
"""Of a script; what is larger is none."""


def may_be_script(files: Set[str], size: int) -> bool:
    """Whether the source is worth a look: `files` are those of the folder, `size` is that of its train.py."""
    is_served = "etls.py" in files or any(name.endswith(".onnx") for name in files)
    return TRAIN in files and is_served and size <= _MOST_BYTES


def is_script(source: bytes) -> bool:
    """Whether it does something when it is run by its name, and neither has nor may have anything called `train`.

    False as well for what can't be read as Python: a run says why.
    """
    if b"__main__" not in source:  # as in most: parsing thousands of them takes a start seconds
        return False
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    rest = [each for each in statements if not _is_guard(each)]
    return len(rest) < len(statements) and not any(map(_may_train, _with_inner(rest)))


def _with_inner(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """They, and those within blocks of theirs, but not within functions and classes."""
    for statement in statements:
        yield statement
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from (each for each in ast.walk(statement) if isinstance(each, ast.stmt) and each is not statement)


def _is_guard(statement: ast.stmt) -> bool:
    """`if __name__ == "__main__":`"""
    if not isinstance(statement, ast.If) or not isinstance(statement.test, ast.Compare):
        return False
    compared = [statement.test.left, *statement.test.comparators]
    names = [each.id for each in compared if isinstance(each, ast.Name)]
    values = [each.value for each in compared if isinstance(each, ast.Constant)]
    return names == ["__name__"] and values == ["__main__"] and isinstance(statement.test.ops[0], ast.Eq)


def _may_train(statement: ast.stmt) -> bool:
    """Whether it binds `train`, or a class that has, or may inherit, a method of that name."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name == _ENTRY
        case ast.ClassDef(name=name):
            return name == _ENTRY or bool(statement.bases) or any(map(_may_train, statement.body))
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return any((each.asname or each.name) in (_ENTRY, "*") for each in names)
        case _:
            stored = (each for each in ast.walk(statement) if isinstance(each, ast.Name))
            return any(each.id == _ENTRY and isinstance(each.ctx, ast.Store) for each in stored)
