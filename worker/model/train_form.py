"""Whether the class in a folder's `train.py` serves the model, told from its source: nothing of it is imported to serve
an ONNX file, for what trains a model may be large."""

from __future__ import annotations

import ast
import os

_TRAIN, _PREDICT = "train", "predict"


def is_served_by_class(folder: str, entry: str | None, *, instead: bool) -> bool:
    """`instead`: whether something else could serve it. True as well where only an import can tell, for that says then
    what is wrong."""
    try:
        with open(os.path.join(folder, "train.py"), "rb") as file:
            statements = ast.parse(file.read()).body
    except FileNotFoundError:
        return False
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return not instead
    named = [each for each in statements if getattr(each, "name", None) == (entry or _TRAIN)][-1:]
    if any(isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) for each in named):
        return False
    return not instead or any(map(_may_predict, named or statements))


def _may_predict(statement: ast.stmt) -> bool:
    """Whether it is a class with such a method, or with bases that may have it."""
    if not isinstance(statement, ast.ClassDef):
        return False
    return bool(statement.bases) or any(getattr(each, "name", None) == _PREDICT for each in statement.body)
