from __future__ import annotations

from pathlib import Path

import pytest

from core.paths import MODEL, PATHS, RESERVED, VERSION, HttpPath, Kind

DOCS = Path(__file__).parents[2] / "docs"


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
