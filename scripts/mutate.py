"""Breaks Pawl's code in small ways, one at a time, and tells which of them the tests don't notice.

Each breakage is made in a copy of the checkout: a condition turned round, a comparison moved by one, a statement left
out. The tests nearest to the module run first; what they don't notice, the tests of its folder and of the contract
get to see. A breakage that changes nothing a user could notice is no gap in the tests: read each survivor.
"""

from __future__ import annotations

import ast
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).parents[1]
FOLDERS = ("core", "gateway", "registry", "loader", "worker", "server", "pawl")
_NEAR_S, _FAR_S = 600, 3000
_NO_TEST_RAN = 5  # pytest's exit code

Change = Callable[[ast.AST], ast.AST | None]


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


def main(
    modules: Annotated[
        list[str] | None, typer.Argument(help="files or folders to break; all of Pawl's if none")
    ] = None,
    count: Annotated[int, typer.Option(help="how many breakages", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="chooses which; the same seed, the same breakages")] = 1,
    jobs: Annotated[int, typer.Option(help="how many are tried at a time", min=1)] = 2,
    near_only: Annotated[bool, typer.Option("--near-only", help="run the nearest tests alone")] = False,
    show: Annotated[bool, typer.Option("--list", help="list the breakages, and try none")] = False,
) -> None:
    """Break the code in small ways, one at a time; list those that no test notices."""
    chosen = choose(list(_files(modules or FOLDERS)), count, random.Random(seed))
    if show:
        print(*chosen, sep="\n")
        return
    survivors = [mutant for mutant, noticed in _try_all(chosen, jobs, near_only) if not noticed]
    print(f"\n{len(chosen) - len(survivors)} of {len(chosen)} were noticed; these were not:")
    print(*(str(mutant) for mutant in survivors), sep="\n")


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


def _files(given: Sequence[str]) -> Iterator[str]:
    for name in given:
        path = ROOT / name
        found = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        yield from (str(each.relative_to(ROOT)) for each in found)


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


def _try_all(mutants: Sequence[Mutant], jobs: int, near_only: bool) -> Iterator[tuple[Mutant, bool]]:
    """Each mutant, and whether it was noticed, as they are done."""
    copies: queue.Queue[Path] = queue.Queue()
    said = threading.Lock()
    with tempfile.TemporaryDirectory(prefix="pawl-mutants-") as folder, ThreadPoolExecutor(jobs) as threads:
        tests = _Tests()
        for number in range(jobs):
            copies.put(_copy(Path(folder) / str(number)))

        def attempt(mutant: Mutant) -> tuple[Mutant, bool]:
            copy = copies.get()
            try:
                noticed = tests.notice(mutant, copy, near_only)
            finally:
                copies.put(copy)
            with said:
                print("noticed " if noticed else "SURVIVED", mutant, flush=True)
            return mutant, noticed

        yield from threads.map(attempt, mutants)


def _copy(to: Path) -> Path:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, files.split("\0")):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, to / name)
    (to / ".venv").symlink_to((ROOT / ".venv").resolve())
    return to


class _Tests:
    """The tests, of which those are asked that pass on the code as it is."""

    def __init__(self) -> None:
        self._pass: dict[tuple[str, ...], bool] = {}

    def notice(self, mutant: Mutant, copy: Path, near_only: bool) -> bool:
        near = _nearest(mutant.path, copy)
        far = [f"tests/{mutant.path.split('/')[0]}", "tests/contract"]
        return self._fail(mutant, copy, near, _NEAR_S) or (not near_only and self._fail(mutant, copy, far, _FAR_S))

    def _fail(self, mutant: Mutant, copy: Path, tests: Sequence[str], seconds: float) -> bool:
        path = copy / mutant.path
        original = path.read_text()
        path.write_text(mutant.source)
        try:
            failed = _fails(copy, tests, seconds)
        finally:
            path.write_text(original)
        return failed and self._passes(copy, tests, seconds)

    def _passes(self, copy: Path, tests: Sequence[str], seconds: float) -> bool:
        """Whether they pass without a breakage; looked at once, where a breakage made them fail."""
        key = tuple(tests)
        if key not in self._pass:
            self._pass[key] = not _fails(copy, tests, seconds)
            if not self._pass[key]:
                print(f"FAILS AS IT IS: {' '.join(tests)}", flush=True)
        return self._pass[key]


def _nearest(path: str, copy: Path) -> list[str]:
    """The tests of the module's own name, and those of its folder."""
    folder = Path("tests", path).parent
    while not (copy / folder).is_dir():
        folder = folder.parent
    by_name = sorted((copy / "tests").rglob(f"test_*{Path(path).stem}*.py"))
    return [*(str(each.relative_to(copy)) for each in by_name), str(folder)]


def _fails(copy: Path, tests: Sequence[str], seconds: float) -> bool:
    """Whether a test fails, or all of them together take far too long."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--timeout=60", "-p", "no:cacheprovider", *tests]
    command += ["--numprocesses=2", "--dist=loadscope", "--deselect=tests/bench"]
    environ = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        command, cwd=copy, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        return process.wait(seconds) not in (0, _NO_TEST_RAN)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
        return True


if __name__ == "__main__":
    typer.run(main)
