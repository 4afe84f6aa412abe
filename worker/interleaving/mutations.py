"""Where a function changes what other requests share: an abstract reading of its statements.

It reads every statement as if all of them ran in any order, and follows values through names, containers and calls
between the author's own functions.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

from .calls import check_call, check_handed_method
from .escaping import Escaping
from .functions import Function
from .names import AnyFunction, bound_by, local_names, own_nodes
from .origins import FRESH, GLOBAL, Origin, Summary, Value, held_by, holding
from .scope import UNKNOWN, Scope
from .values import Summaries, Values


class Mutation(NamedTuple):
    """A place that changes what requests share."""

    line: int
    what: str


class Reading(ast.NodeVisitor):
    """Reads one function and those within it. `changed` afterwards holds the places that change what is shared."""

    def __init__(self, scope: Scope, summaries: Summaries, inner: dict[AnyFunction, Summary] | None = None) -> None:
        self.changed: set[Mutation] = set()
        self._scope = scope
        self._node = scope.function.node
        self._summaries = summaries
        self._inner = {} if inner is None else inner
        self._values = Values(scope, summaries, self._inner)
        self._changes: set[tuple[str, bool]] = set()
        self._returns: set[Origin] = set()
        self._escaping = Escaping(self._node)

    def read(self) -> Summary:
        """What the function does, as its callers see it."""
        before = None
        while before != (before := (self._scope.state(), dict(self._inner), len(self._changes), len(self._returns))):
            for each in [self._node.body] if isinstance(self._node, ast.Lambda) else self._node.body:
                self.visit(each)
            if isinstance(self._node, ast.Lambda):
                self._returns |= self._values.of(self._node.body)
        return self._summary()

    def change(self, value: Value, node: ast.AST, what: str) -> None:
        """A value is changed here: is it anybody else's?"""
        for origin in value:
            if origin.is_parameter and not origin.wrapped:
                self._changes.add((origin.of[1:], origin.inside))
            elif not origin.wrapped:
                self.note(node, what)

    def note(self, node: ast.AST, what: str) -> None:
        self.changed.add(Mutation(getattr(node, "lineno", 0), what))

    def put_into(self, container: ast.expr, value: Value) -> None:
        """What is put into a local container can be got out of it."""
        while isinstance(container, ast.Attribute | ast.Subscript):
            container = container.value
        if isinstance(container, ast.Name):
            self._scope.bind(container.id, holding(value))

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            self._assign(target, self._values.of(node.value), node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.generic_visit(node)
            self._assign(node.target, self._values.of(node.value))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name):
            self.change(self._values.of(node.target), node, f"changes {node.target.id} in place")
            self._assign(node.target, holding(held_by(self._values.of(node.value))))
        else:
            self._assign(node.target, self._values.of(node.value))

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.generic_visit(node)
        self._assign(node.target, self._values.of(node.value))

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self._assign(target, FRESH)

    def visit_For(self, node: ast.For | ast.AsyncFor | ast.comprehension) -> None:
        self._assign(node.target, held_by(self._values.of(node.iter)))
        self.generic_visit(node)

    visit_AsyncFor = visit_For  # noqa: N815
    visit_comprehension = visit_For

    def visit_withitem(self, node: ast.withitem) -> None:
        self.generic_visit(node)
        if node.optional_vars is not None:
            self._assign(node.optional_vars, self._values.of(node.context_expr))

    def visit_Match(self, node: ast.Match) -> None:
        subject = self._values.of(node.subject)
        for each in ast.walk(node):
            name = getattr(each, "rest" if isinstance(each, ast.MatchMapping) else "name", None)
            if isinstance(each, ast.MatchAs | ast.MatchStar | ast.MatchMapping) and name:
                self._scope.bind(name, subject | held_by(subject) | holding(held_by(subject)))
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            name = (alias.asname or alias.name).partition(".")[0]
            self._scope.bind(name, GLOBAL)
            self._scope.imported[name] = _imported(node, alias)

    visit_ImportFrom = visit_Import  # noqa: N815

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        for each in own_nodes(self._node):
            for name in bound_by(each):
                if name in node.names:
                    self.note(each, f"assigns to {name}, which is not its own")

    visit_Nonlocal = visit_Global  # noqa: N815

    def visit_Return(self, node: ast.Return | ast.YieldFrom) -> None:
        self.generic_visit(node)
        if node.value is not None:
            self._returns |= self._values.of(node.value)

    visit_YieldFrom = visit_Return  # noqa: N815

    def visit_Yield(self, node: ast.Yield) -> None:
        self.generic_visit(node)
        if node.value is not None:
            self._returns |= holding(self._values.of(node.value))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load):
            check_handed_method(node, self._values, self)

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        for each in (called, *node.args, *node.keywords):
            self.visit(each)
        check_call(node, self._values, self)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        for each in (*getattr(node, "decorator_list", ()), *node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(each)
        self._read_inner(Function(node, self._scope.function.source), lasting=node in self._escaping)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815
    visit_Lambda = visit_FunctionDef  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for each in node.body:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                self._read_inner(Function(each, self._scope.function.source, node), lasting=True)
            else:
                self.visit(each)

    def _read_inner(self, function: Function, *, lasting: bool) -> None:
        """One that outlives this call shares this call's names with whoever calls it later."""
        scope = Scope(function, self._scope.instance, self._scope)
        if lasting:
            around = local_names(self._node) | self._scope.function.around
            scope = Scope(Function(function.node, function.source, function.owner, around=around), self._scope.instance)
        inner = Reading(scope, self._summaries, self._inner)
        self._inner[function.node] = inner.read()
        self.changed |= inner.changed
        self._changes |= inner._changes

    def _assign(self, target: ast.AST, value: Value, source: ast.expr | None = None) -> None:
        if isinstance(target, ast.Name):
            self._scope.bind(target.id, value)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, holding(value))
        elif isinstance(target, ast.Tuple | ast.List):
            for each, part in zip(target.elts, _parts(target, source), strict=True):
                self._assign(each, held_by(value) if part is None else self._values.of(part), part)
        elif isinstance(target, ast.Attribute | ast.Subscript):
            self.change(self._values.of(target.value), target, f"assigns to {_words(target)}")
            self.put_into(target.value, value)

    def _summary(self) -> Summary:
        arguments = self._node.args
        names = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        rest = next((each.arg for each in (arguments.vararg, arguments.kwarg) if each is not None), "*")
        method = self._scope.function.receiver is not None
        return Summary(tuple(names), rest, method, frozenset(self._changes), frozenset(self._returns))


def _parts(target: ast.Tuple | ast.List, source: ast.expr | None) -> Sequence[ast.expr | None]:
    """What each name of `a, b = 1, 2` gets, as far as it can be read off."""
    unknown = [None] * len(target.elts)
    if not isinstance(source, ast.Tuple | ast.List) or len(source.elts) != len(target.elts):
        return unknown
    starred = any(isinstance(each, ast.Starred) for each in (*source.elts, *target.elts))
    return unknown if starred else source.elts


def _imported(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> Any:
    """What a name stands for after an import that may not have run yet."""
    if isinstance(node, ast.ImportFrom):
        return getattr(sys.modules.get(node.module or ""), alias.name, UNKNOWN)
    name = alias.name if alias.asname else alias.name.partition(".")[0]
    return sys.modules.get(name) or ModuleType(name)


def _words(node: ast.AST) -> str:
    words = ast.unparse(node)
    return words if len(words) <= 60 else f"{words[:57]}..."
