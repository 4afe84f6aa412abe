"""The functions of the author's modules, and which of them run only while the model is constructed."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .sources import Source

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

_CONSTRUCTORS = frozenset({"__init__", "__post_init__", "__setstate__"})
"""What these do to `self` they do to an object that nobody else has yet."""

_HOOKS = frozenset(
    ("predict", "predict_proba", "transform", "fit", "fit_transform", "score", "forward", "decision_function")
)
"""Methods that libraries call by their names."""


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
        return None if "staticmethod" in map(_last_name, self.node.decorator_list) else arguments[0].arg


def find_functions(sources: Sequence[Source], main: type) -> list[Function]:
    """All that may run during a request: `main` is the class that serves them, constructed before the first."""
    mentions = _Mentions(sources)
    found = []
    for source in sources:
        for owner, node in _definitions(source.tree, None):
            early = mentions.constructs_only(owner, node)
            if early and (owner is None or source.names.get(owner.name) in main.__mro__):
                found += [Function(inner, source, around=local_names(node)) for _, inner in _definitions(node, None)]
            else:
                found.append(Function(node, source, owner, early))
    return found


def local_names(function: AnyFunction) -> frozenset[str]:
    """The names bound in a function itself: not in those within it, nor in comprehensions."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    names = {each.arg for each in every if each is not None}
    for node in own_nodes(function, _COMPREHENSIONS):
        names.update(_bound_by(node))
    return frozenset(names)


def comprehension_names(function: AnyFunction) -> frozenset[str]:
    """The names bound in comprehensions of a function."""
    found = (node for node in own_nodes(function) if isinstance(node, _COMPREHENSIONS))
    return frozenset(name for each in found for node in ast.walk(each) for name in _bound_by(node))


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
        elif not isinstance(node, (*_DEFINITIONS, ast.Lambda, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)


def _bound_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, (*_DEFINITIONS, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _definitions(tree: ast.AST, owner: ast.ClassDef | None) -> Iterator[tuple[ast.ClassDef | None, AnyFunction]]:
    """Functions, methods and lambdas, not those within them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (*_DEFINITIONS, ast.Lambda)):
            yield owner, node
        else:
            yield from _definitions(node, node if isinstance(node, ast.ClassDef) else owner)


_Caller = tuple[ast.ClassDef | None, AnyFunction]


class _Mentions:
    """Where each name is mentioned: a function runs at construction only if nothing else as much as names it."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._calls: dict[str, set[_Caller | None]] = {}
        """Name to the functions that call it plainly; None for a module's own code."""
        self._elsewhere: set[str] = set()
        """Names mentioned in any other way."""
        for source in sources:
            self._visit(source.tree, None, None)

    def constructs_only(
        self,
        owner: ast.ClassDef | None,
        node: AnyFunction,
        seen: frozenset[str] = frozenset(),
    ) -> bool:
        if isinstance(node, ast.Lambda):
            return False
        if owner is not None and node.name in _CONSTRUCTORS:
            return True
        name = node.name
        if name in _HOOKS or name in seen or name in self._elsewhere or name not in self._calls or node.decorator_list:
            return False
        if owner is not None and (owner.bases or name.startswith("__")):
            return False  # an outside base may call it
        return all(caller is None or self.constructs_only(*caller, seen | {name}) for caller in self._calls[name])

    def _visit(self, node: ast.AST, owner: ast.ClassDef | None, caller: _Caller | None) -> None:
        if isinstance(node, ast.ClassDef) and caller is None:
            owner = node
        elif isinstance(node, (*_DEFINITIONS, ast.Lambda)):
            nested = caller is not None or isinstance(node, ast.Lambda)
            caller = (None, _SOMETIME) if nested else (owner, node)
        called = node.func if isinstance(node, ast.Call) else None
        for child in ast.iter_child_nodes(node):
            if child is called and (name := _plain_name(child)):
                self._calls.setdefault(name, set()).add(caller)
                if isinstance(child, ast.Attribute):
                    self._visit(child.value, owner, caller)
            else:
                self._note(child)
                self._visit(child, owner, caller)

    def _note(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            self._elsewhere.add(node.id)
        elif isinstance(node, ast.Attribute):
            self._elsewhere.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            self._elsewhere.add(node.value)  # for getattr
        elif isinstance(node, ast.alias) and node.asname:
            self._elsewhere.add(node.name.rpartition(".")[2])


def _plain_name(node: ast.expr) -> str | None:
    """`f` in `f(…)` and in `self.f(…)`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.attr
    return None


_SOMETIME = next(node for node in ast.walk(ast.parse("lambda: 0")) if isinstance(node, ast.Lambda))
"""Stands for a function within another: it may outlive the construction, and run at any time."""


def _last_name(node: ast.AST) -> str | None:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", None)
