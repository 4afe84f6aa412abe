"""The names that a function binds."""

from __future__ import annotations

import ast
from collections.abc import Iterator

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def local_names(function: AnyFunction) -> frozenset[str]:
    """The names bound in a function itself: not in those within it, nor in comprehensions."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    names = {each.arg for each in every if each is not None}
    for node in own_nodes(function, _COMPREHENSIONS):
        names.update(bound_by(node))
    return frozenset(names)


def comprehension_names(function: AnyFunction) -> frozenset[str]:
    """The names bound in comprehensions of a function."""
    found = (node for node in own_nodes(function) if isinstance(node, _COMPREHENSIONS))
    return frozenset(name for each in found for node in ast.walk(each) for name in bound_by(node))


def own_nodes(function: AnyFunction, closed: tuple[type, ...] = ()) -> Iterator[ast.AST]:
    """The nodes of a function's body without what is inside functions and classes within it, or inside `closed`.

    A walrus in a comprehension binds outside of it, so that one is found all the same.
    """
    waiting: list[ast.AST] = [function.body] if isinstance(function, ast.Lambda) else list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, closed):
            waiting += [each for each in ast.walk(node) if isinstance(each, ast.NamedExpr)]
        elif not isinstance(node, (*DEFINITIONS, ast.Lambda, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)


def bound_by(node: ast.AST) -> Iterator[str]:
    """The names that a node by itself binds."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, (*DEFINITIONS, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
