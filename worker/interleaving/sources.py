"""The author's own modules: those loaded from the release's folder, as syntax trees."""

from __future__ import annotations

import ast
import os
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any


class SourceMissing(Exception):
    """A module of the author's has no source that could be read."""


@dataclass(frozen=True, slots=True)
class Source:
    """One module."""

    file: str
    """Relative to the release's folder."""
    tree: ast.Module
    names: dict[str, Any]
    """The module's globals as they are now."""


def own_modules(root: str, module: ModuleType) -> list[ModuleType]:
    """`module`, and the other modules loaded from `root`."""
    inside = os.path.join(os.path.realpath(root), "")
    found = {id(module): module}
    for each in list(sys.modules.values()):
        file = getattr(each, "__file__", None)
        if isinstance(file, str) and os.path.realpath(file).startswith(inside):
            found[id(each)] = each
    return list(found.values())


def read_source(module: ModuleType, root: str) -> Source:
    """Raises SourceMissing."""
    file = getattr(module, "__file__", None)
    if not file or not file.endswith(".py"):
        raise SourceMissing(f"the source of module {module.__name__} can't be found")
    try:
        with open(file, "rb") as stream:
            tree = ast.parse(stream.read(), file)
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        raise SourceMissing(f"the source of {file} can't be read: {error}") from error
    source = Source(os.path.relpath(os.path.realpath(file), os.path.realpath(root)), tree, vars(module))
    _check_imports(source, root, os.path.dirname(file))
    return source


def _check_imports(source: Source, root: str, folder: str) -> None:
    """A module of the author's that is imported only during a request can't be read yet."""
    for node in ast.walk(source.tree):
        for name in _imported(node, source.names.get("__package__") or ""):
            path = name.replace(".", os.sep)
            files = (os.path.join(base, path + end) for base in (root, folder) for end in (".py", "/__init__.py"))
            if name not in sys.modules and any(map(os.path.exists, files)):
                line = getattr(node, "lineno", 0)
                raise SourceMissing(
                    f"{name} is imported only when needed ({source.file}, line {line}): do it at the top"
                )


def _imported(node: ast.AST, package: str) -> list[str]:
    """The modules that a statement may import."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
    base = ".".join([*parents, *([node.module] if node.module else [])])
    return [base, *(f"{base}.{alias.name}" for alias in node.names)] if base else []
