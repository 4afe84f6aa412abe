"""Which functions run only while the model is constructed, before the first request."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from .names import DEFINITIONS, AnyFunction
from .sources import Source

CONSTRUCTORS = frozenset({"__init__", "__post_init__", "__setstate__"})
"""What these do to `self` they do to an object that nobody else has yet."""

_HOOKS = frozenset(
    ("predict", "predict_proba", "transform", "fit", "fit_transform", "score", "forward", "decision_function")
)
"""Methods that libraries call by their names."""

_Caller = tuple[ast.ClassDef | None, AnyFunction]


class Construction:
    """Knows where each name is mentioned: a function runs at construction only if nothing else as much as names it."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._calls: dict[str, set[_Caller | None]] = {}
        """Name to the functions that call it plainly; None for a module's own code."""
        self._elsewhere: set[str] = set()
        """Names mentioned in any other way."""
        self._by_text = False
        """Whether methods are looked up by names that are computed."""
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
        if owner is not None and node.name in CONSTRUCTORS:
            return True
        if owner is not None and (owner.bases or node.name.startswith("__")):
            return False  # an outside base may call it
        callers = set() if node.decorator_list or node.name in seen else self._callers(node.name)
        return bool(callers) and all(
            caller is None or self.constructs_only(*caller, seen | {node.name}) for caller in callers
        )

    def _callers(self, name: str) -> set[_Caller | None]:
        """The functions that call it, None for a module's own code; none at all where there may be unseen ones."""
        unseen = self._by_text or name in _HOOKS or name in self._elsewhere
        return set() if unseen else self._calls.get(name, set())

    def _visit(self, node: ast.AST, owner: ast.ClassDef | None, caller: _Caller | None) -> None:
        if isinstance(node, ast.ClassDef) and caller is None:
            owner = node
        elif isinstance(node, (*DEFINITIONS, ast.Lambda)):
            nested = caller is not None or isinstance(node, ast.Lambda)
            caller = (None, _SOMETIME) if nested else (owner, node)
        called = node.func if isinstance(node, ast.Call) else None
        for child in ast.iter_child_nodes(node):
            self._by_text |= child is called and last_name(child) in _LOOK_UPS and _is_computed(node)
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


_LOOK_UPS = frozenset({"getattr", "methodcaller", "attrgetter"})


def _is_computed(call: ast.AST) -> bool:
    names = call.args[1:2] if isinstance(call, ast.Call) and last_name(call.func) == "getattr" else []
    return not all(isinstance(each, ast.Constant) for each in names)


def _plain_name(node: ast.expr) -> str | None:
    """`f` in `f(…)` and in `self.f(…)`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.attr
    return None


_SOMETIME = next(node for node in ast.walk(ast.parse("lambda: 0")) if isinstance(node, ast.Lambda))
"""Stands for a function within another: it may outlive the construction, and run at any time."""


def last_name(node: ast.AST) -> str:
    """`f` of `f` and of `a.b.f`; empty where there is none."""
    return node.id if isinstance(node, ast.Name) else str(getattr(node, "attr", ""))
