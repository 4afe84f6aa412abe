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
    return Source(os.path.relpath(os.path.realpath(file), os.path.realpath(root)), tree, vars(module))
