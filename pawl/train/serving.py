"""Whether anything could serve what training has left."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def nothing_serves(folder: Path, left: Iterable[str], entry: str | None = None) -> bool:
    """Whether the folder, with the files that training left, has neither an etls.py, nor an .onnx, nor a class that
    trains and predicts. `left`: their names. `entry`: the function or class that trains, where model.yaml names it."""
    names = {*(path.name for path in folder.iterdir()), *left}
    if "etls.py" in names or any(name.endswith(".onnx") for name in names):
        return False
    return not _predicts(folder / "train.py", entry or "train")


def _predicts(path: Path, entry: str) -> bool:
    """What can't be parsed has not trained either. A class may be imported, or inherit its predict from elsewhere."""
    with suppress(OSError, SyntaxError, ValueError):
        statements = ast.parse(path.read_bytes()).body
        if any(isinstance(each, ast.FunctionDef) and each.name == entry for each in statements):
            return False
        classes = [each for each in statements if isinstance(each, ast.ClassDef)]
        if not classes:
            return any(isinstance(each, ast.ImportFrom) and each.module != "__future__" for each in statements)
        return any(each.bases or _has_predict(each) for each in classes)
    return True


def _has_predict(found: ast.ClassDef) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == "predict" for node in found.body)
