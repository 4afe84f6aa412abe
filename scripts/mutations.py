"""The small breakages of a module: a condition turned round, a comparison moved by one, a statement left out."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Mutant:
    """One small breakage."""

    path: str
    line: int
    what: str
    source: str
    """The module with the breakage in it."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def choose(paths: Sequence[str], count: int, chance: random.Random) -> list[Mutant]:
    """So many breakages, at most one a line, in the order of the files."""
    places = [(path, line, number) for path in paths for number, line in enumerate(_lines(path))]
    chance.shuffle(places)
    by_line = {(path, line): number for path, line, number in reversed(places)}
    picked = [place for place in places if by_line[place[:2]] == place[2]][:count]
    return [_mutant(path, number) for path, _, number in sorted(picked)]


def mutations(tree: ast.AST) -> Iterator[tuple[ast.AST, str, ast.AST, int]]:
    """Every small breakage of a module: the parent, the node's place in it, what stands there instead, the line."""
    for parent, field, node in _nodes(tree):
        for changed in _changed(node):
            yield parent, field, changed, node.lineno


def _lines(path: str) -> list[int]:
    return [line for _, _, _, line in mutations(ast.parse((ROOT / path).read_text()))]


def _mutant(path: str, number: int) -> Mutant:
    tree = ast.parse((ROOT / path).read_text())
    for at, (parent, field, changed, line) in enumerate(mutations(tree)):
        if at == number:
            before = _put(parent, field, changed)
            what = f"{_shown(before)}  ->  {_shown(changed)}"
            return Mutant(path, line, what, ast.unparse(ast.fix_missing_locations(tree)) + "\n")
    raise AssertionError(f"{path} has no breakage {number}")


def _shown(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0][:80]


def _nodes(tree: ast.AST) -> Iterator[tuple[ast.AST, str, ast.expr | ast.stmt]]:
    """Statements and expressions with their parents; not those that are types, settings or words for people."""
    for field, value in ast.iter_fields(tree):
        if field in ("annotation", "returns", "decorator_list", "bases", "type_params"):
            continue
        children = value if isinstance(value, list) else [value]
        for index, child in enumerate(children):
            if not isinstance(child, ast.AST) or _is_for_people(child) or _is_setting(tree, child):
                continue
            if isinstance(child, ast.expr | ast.stmt):
                yield tree, f"{field}.{index}" if isinstance(value, list) else field, child
            yield from _nodes(child)


def _is_for_people(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.JoinedStr():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="log")))):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
    return False


def _is_setting(parent: ast.AST, node: ast.AST) -> bool:
    """A constant of a module or a default of a class: another number there is a choice, and no breakage."""
    return isinstance(parent, ast.Module | ast.ClassDef) and isinstance(node, ast.Assign | ast.AnnAssign)


_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
}


def _changed(node: ast.expr | ast.stmt) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(left, [op], right) if type(op) in _COMPARISONS:
            yield ast.Compare(left, [_COMPARISONS[type(op)]()], right)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.And() if isinstance(op, ast.Or) else ast.Or(), values)
            yield from (ast.BoolOp(op, values[:at] + values[at + 1 :]) for at in range(len(values)) if len(values) > 2)
            if len(values) == 2:
                yield from values
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.BinOp(left, op, right) if type(op) in _OPERATORS and not _is_text(left) and not _is_text(right):
            yield ast.BinOp(left, _OPERATORS[type(op)](), right)
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(0 | 1 as value):
            yield ast.Constant(value + 1)
        case ast.If(test, body, orelse) | ast.While(test, body, orelse):
            yield type(node)(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()
        case ast.Return(value) if value is not None and not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(ast.Call() | ast.Await()) | ast.AugAssign() | ast.Delete() | ast.Raise():
            yield ast.Pass()


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _put(parent: ast.AST, field: str, node: ast.AST) -> ast.AST:
    """What stood there before."""
    name, _, index = field.partition(".")
    if not index:
        before: ast.AST = getattr(parent, name)
        setattr(parent, name, node)
        return before
    siblings = getattr(parent, name)
    before, siblings[int(index)] = siblings[int(index)], node
    return before
