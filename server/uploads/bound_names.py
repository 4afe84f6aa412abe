"""`python -I bound_names.py NAME CPU_SECONDS MEMORY_BYTES < SOURCE`: what a module binds, in JSON.

A process of its own, within bounds: to parse what strangers wrote may take endless time or memory, or end the process
that does it. It imports nothing of ours.
"""

from __future__ import annotations

import ast
import json
import resource
import sys
from collections.abc import Iterable, Iterator


def main() -> None:
    name, cpu_s, memory_bytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    json.dump(_told(name, sys.stdin.buffer.read()), sys.stdout)


def _told(name: str, source: bytes) -> dict[str, object]:
    try:
        bound = list(_statements(ast.parse(source).body))
        by_name = [statement for statement in bound if name in _names(statement)]
        binds_anything = any(isinstance(each, ast.ImportFrom) and each.names[0].name == "*" for each in bound)
        return {
            **({} if binds_anything else _needs(by_name)),
            "binds": bool(by_name),
            "binds_anything": binds_anything,
            "has_class": any(isinstance(each, ast.ClassDef) for each in bound),
        }
    except SyntaxError as error:
        return {"fault": f"SyntaxError: {error.msg}", "line": error.lineno or 0}
    except (ValueError, RecursionError, MemoryError) as error:
        return {"fault": f"{type(error).__name__}: {error}".removesuffix(": ")}


def _needs(by_name: list[ast.stmt]) -> dict[str, object]:
    """The arguments that have no default, where one plain function goes by the name, and nothing else ever."""
    match by_name:
        case [ast.FunctionDef(decorator_list=[], args=args, lineno=line)]:
            positional = [*args.posonlyargs, *args.args]
            needed = positional[: len(positional) - len(args.defaults)]
            needed += [each for each, default in zip(args.kwonlyargs, args.kw_defaults, strict=True) if default is None]
            return {"needs": [each.arg for each in needed], "line": line}
    return {}


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Those of a module's own, whatever they depend on."""
    for statement in body:
        yield statement
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = [each for each in ast.iter_child_nodes(statement) if isinstance(each, ast.stmt)]
            parts = [*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())]
            yield from _statements([*inner, *(each for part in parts for each in part.body)])


def _names(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from ((each.asname or each.name).partition(".")[0] for each in names)
        case _:
            yield from (each.id for each in ast.walk(statement) if isinstance(each, ast.Name) and _is_set(each))


def _is_set(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


if __name__ == "__main__":
    main()
