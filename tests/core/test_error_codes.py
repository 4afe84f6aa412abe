"""One table says what each error code means: the source, the docs and the contracts name no other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from core.error_codes import ERROR_CODES, PLANNED, ErrorCode, Origin

ROOT = Path(__file__).parents[2]
FOLDERS = ("core", "gateway", "loader", "pawl", "registry", "server", "worker")
OTHER_WORDS = {ROOT / "core" / "error_codes.py", ROOT / "core" / "events.py"}
"""The table itself, and the kinds of events, some of which go by the same words."""


@cache
def nodes() -> list[ast.AST]:
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py") if file not in OTHER_WORDS]
    return [node for file in files for node in ast.walk(ast.parse(file.read_text()))]


def given_codes() -> Iterator[str]:
    """What is answered: an argument of `refuse` and `error`, the `code` of an error written out as a dict or that a
    class has, what a table of codes says."""
    for node in nodes():
        match node:
            case ast.Call(func=ast.Name(id="refuse" | "error"), args=[ast.Constant(value=str(code)), *_]):
                yield code
            case ast.Call(func=ast.Name(id="_refusal"), args=[_, ast.Constant(value=str(code)), *_]):
                yield code
            case ast.Assign(targets=[ast.Name(id="code"), *_], value=ast.Constant(value=str(code))):
                yield code
            case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id="code"), *_])], value=ast.Tuple(elts=[value, *_])):
                yield text(value)
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(values=values))
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Dict(values=values))
            ) if name.endswith("CODES"):
                yield from map(text, values)
            case ast.AnnAssign(target=ast.Name(id="code"), value=ast.Constant(value=str(code))):
                yield code
            case ast.Dict(keys=keys, values=values):
                yield from (text(value) for key, value in zip(keys, values, strict=True) if text(key) == "code")


def text(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_every_code_that_is_answered_is_in_the_table() -> None:
    codes = set(filter(None, given_codes()))
    assert {"queue_full", "model_error", "unauthorized", "not_ready", "internal"} <= codes
    assert codes <= ERROR_CODES.keys()


def test_every_code_of_the_table_is_answered_but_for_those_that_are_planned() -> None:
    assert ERROR_CODES.keys() - PLANNED == set(filter(None, given_codes()))


def test_the_page_of_errors_tells_what_an_error_says_besides() -> None:
    before, _ = (ROOT / "docs" / "errors.md").read_text().split("| code |", 1)
    said = set(given_facts())
    assert {"field", "commits", "live", "error_id"} <= said
    assert {name for name in said if f"`{name}`" not in before} == set()


def given_facts() -> Iterator[str]:
    """What is beside the code and the message."""
    for node in nodes():
        match node:
            case ast.Call(func=ast.Name(id="error"), keywords=keywords):
                yield from (one.arg for one in keywords if one.arg)
            case ast.FunctionDef(name="_facts" | "_facts_of_action"):
                yield from keys_in(node)
            case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id="code"), *_])], value=ast.Tuple(elts=[_, value])):
                yield from keys_in(value)


def keys_in(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Dict):
            yield from filter(None, map(text, one.keys))


@pytest.mark.parametrize("line", ERROR_CODES.values(), ids=lambda line: line.code)
def test_a_code_has_the_status_of_an_error(line: ErrorCode) -> None:
    assert 400 <= line.status <= (line.last_status or 599) <= 599


@pytest.mark.parametrize("line", ERROR_CODES.values(), ids=lambda line: line.code)
def test_another_try_is_advised_where_the_status_promises_that_it_may_help(line: ErrorCode) -> None:
    assert (line.retry_after_s is not None) == (line.status in (429, 502, 503))


ORIGINS = {
    Origin.REQUEST: "request",
    Origin.BODY: "body",
    Origin.VARIABLES: "variables",
    Origin.MODEL: "model",
    Origin.VERSION: "version",
    Origin.ADMIN: "admin API",
    Origin.SERVER: "server",
}


def documented(line: ErrorCode) -> str:
    status = str(line.status) if line.last_status is None else f"{line.status} to {line.last_status}"
    again = "" if line.retry_after_s is None else f"after {line.retry_after_s} s"
    origins = ", ".join(name for origin, name in ORIGINS.items() if origin in line.origin)
    return f"| `{line.code}` | {status} | {origins} | {line.says} | {again} |".replace("|  |", "| |")


def test_the_page_of_errors_has_the_table() -> None:
    page = (ROOT / "docs" / "errors.md").read_text()
    answered, planned = page.split("## Planned")
    assert rows(answered) == [documented(line) for line in ERROR_CODES.values() if line.code not in PLANNED]
    assert rows(planned) == [documented(line) for line in ERROR_CODES.values() if line.code in PLANNED]


def rows(page: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith("| `")]
