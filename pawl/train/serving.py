"""Whether anything could serve what training has left."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def nothing_serves(folder: Path, left: Iterable[str]) -> bool:
    """Whether the folder, with the files that training left, has neither an etls.py, nor an .onnx, nor a class that
    predicts. `left`: their names."""
    names = {*(path.name for path in folder.iterdir()), *left}
    return not ("etls.py" in names or any(name.endswith(".onnx") for name in names) or _predicts(folder / "train.py"))


def _predicts(path: Path) -> bool:
    """What can't be parsed has not trained either. A class may inherit its predict from elsewhere."""
    with suppress(OSError, SyntaxError, ValueError):
        classes = [node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.ClassDef)]
        return any(each.bases or _has_predict(each) for each in classes)
    return True


def _has_predict(found: ast.ClassDef) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == "predict" for node in found.body)
