from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import paths
from core.paths import MODEL, PATHS, RESERVED, VERSION, HttpPath, Kind

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
OTHERWISE = {"base", "path.template", "route.path"}
"""The base path, below which all others are; lines of the table that a loop goes through; a route that is wrapped."""


def test_the_names_are_taken_that_are_promised_to_be() -> None:
    beside_base = {"healthz", "readyz", "metrics", "app", "execution-parameters", "ping", "invocations"}
    assert {"all", "docs", "openapi.json", "v2"} | beside_base == RESERVED


def test_the_docs_list_them() -> None:
    text = " ".join((DOCS / "model-folder.md").read_text().split())
    assert f"({', '.join(f'`{name}`' for name in sorted(RESERVED))})" in text


def test_no_two_lines_are_about_the_same_path() -> None:
    assert len({path.template for path in PATHS}) == len(PATHS)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.template)
def test_a_path_is_written_as_a_template(path: HttpPath) -> None:
    assert path.template.startswith("/")
    assert path.template in ("/", "/-/") or not path.template.endswith("/")


def test_only_models_are_where_the_first_segment_may_be_any() -> None:
    assert {path for path in PATHS if path.first.startswith("{")} == {MODEL, VERSION}
    assert {path for path in PATHS if path.kind is Kind.MODEL} == {MODEL, VERSION}


def test_the_path_of_a_model_leaves_the_version_open() -> None:
    assert (MODEL.of("Iris"), VERSION.of("Iris")) == ("/Iris", "/Iris/{version}")


def test_a_route_of_the_daemon_is_a_line_of_the_table() -> None:
    lines = {f"{name}.template" for name, path in vars(paths).items() if path in PATHS or path is paths.REFACTOR}
    at = {text.removeprefix("paths."): where for text, where in daemons_routes() if text not in OTHERWISE}
    assert len(at) > 50
    assert {where for text, where in at.items() if text not in lines} == set(), "not in core/paths.py, or in PATHS"


def daemons_routes() -> Iterator[tuple[str, str]]:
    """What the daemon's modules give Starlette as a path, as it is written there, and where."""
    for file in (ROOT / "server").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="Route" | "Mount" | "WebSocketRoute"), args=[path, *_]):
                    yield ast.unparse(path), f"{file}:{node.lineno}"
