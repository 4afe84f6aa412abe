"""What the documents say of the tree is there."""

from __future__ import annotations

import re

import pytest

from tests.serving import ROOT

FOLDERS = ("core", "deploy", "gateway", "loader", "pawl", "registry", "server", "tests", "trainer", "worker")


def paths() -> set[str]:
    """Of our modules and folders, with "/" before each."""
    found = {path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts}
    return {f"/{path.relative_to(ROOT)}" for path in found} | {f"/{folder}" for folder in FOLDERS}


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_each_module_and_folder_that_a_document_names_is_there(document: str) -> None:
    text = re.sub(r"\btests/[\w/.]*", "", (ROOT / document).read_text())
    named = {*re.findall(r"(?<![\w.])[a-z_][\w/]*\.py\b", text), *re.findall(r"`([a-z_]+(?:/[a-z_]+)*)/`", text)}
    others = {"etls.py", "train.py", "fit.py", "docs/adr", "models_serve", "bench", "deploy"}
    here = paths()
    assert len(named) > len(FOLDERS)
    assert [name for name in sorted(named - others) if not any(path.endswith(f"/{name}") for path in here)] == []


@pytest.mark.parametrize("document", sorted(path.name for path in (ROOT / "docs/adr").glob("*.md")))
def test_each_test_that_a_decision_names_is_there(document: str) -> None:
    named = set(re.findall(r"[\w/]*\btest_\w+\.py\b", (ROOT / "docs/adr" / document).read_text()))
    here = {f"/{path.relative_to(ROOT)}" for path in (ROOT / "tests").rglob("test_*.py")}
    assert [name for name in sorted(named) if not any(path.endswith(f"/{name}") for path in here)] == []
