"""The functions of the author's modules that may run during a request."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .construction import Construction, last_name
from .names import DEFINITIONS, AnyFunction, local_names
from .sources import Source


@dataclass(frozen=True, slots=True)
class Function:
    """A function, a method or a lambda, with those defined in it."""

    node: AnyFunction
    source: Source
    owner: ast.ClassDef | None = None
    constructs: bool = False
    """Its `self` is new."""
    around: frozenset[str] = frozenset()
    """Names of the function around it, which has ended and left them to it."""

    @property
    def name(self) -> str:
        return getattr(self.node, "name", "a lambda")

    @property
    def title(self) -> str:
        return f"{self.owner.name}.{self.name}" if self.owner else self.name

    @property
    def receiver(self) -> str | None:
        """The name of the parameter for the object or the class."""
        arguments = self.node.args.posonlyargs + self.node.args.args
        if self.owner is None or not arguments or isinstance(self.node, ast.Lambda):
            return None
        return None if "staticmethod" in map(last_name, self.node.decorator_list) else arguments[0].arg


def find_functions(sources: Sequence[Source], main: type) -> list[Function]:
    """All that may run during a request: `main` is the class that serves them, constructed before the first."""
    construction = Construction(sources)
    found = []
    for source in sources:
        for owner, node in _definitions(source.tree, None):
            early = construction.constructs_only(owner, node)
            if early and (owner is None or source.names.get(owner.name) in main.__mro__):
                found += [Function(inner, source, around=local_names(node)) for _, inner in _definitions(node, None)]
            else:
                found.append(Function(node, source, owner, early))
    return found


def _definitions(tree: ast.AST, owner: ast.ClassDef | None) -> Iterator[tuple[ast.ClassDef | None, AnyFunction]]:
    """Functions, methods and lambdas, not those within them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (*DEFINITIONS, ast.Lambda)):
            yield owner, node
        else:
            yield from _definitions(node, node if isinstance(node, ast.ClassDef) else owner)
