"""What the README and the page on training show, word for word in an empty folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pawl.commands import pawl
from tests.repos import Repo
from tests.serving import ROOT, Server, serving

PAGE = (ROOT / "docs/training.md").read_text()
README = (ROOT / "README.md").read_text()


def shown(name: str) -> str:
    """The file of that name, as the page shows it."""
    found = re.search(rf"^`{re.escape(name)}`:[^\n]*\n\n```\w+\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, name
    return found[1]


def class_form() -> str:
    found = re.search(r"In place of a function.*?```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("shown") / "models")
    for name in ("train.py", "etls.py", "model.yaml", "examples.json", "data/train.csv"):
        repo.write(f"Churn/{name}", shown(name))
    for name in ("model.yaml", "examples.json", "data/train.csv"):
        repo.write(f"Class/{name}", shown(name))
    repo.write("Class/train.py", class_form())
    for name, code in re.findall(r"```python\n# (Scale/\w+\.py)\n(.*?)```", README, re.DOTALL):
        repo.write(name, code)
    repo.commit()
    return repo


def test_a_folder_is_trained_by_hand_as_the_page_says(repo: Repo, tmp_path: Path) -> None:
    done = pawl("train", "Churn", "--set", "months=24", "--output", tmp_path / "churn", cwd=repo.path)
    assert (done.returncode, done.stdout) == (0, "accuracy\t1\n"), done.stderr
    block = re.search(r"\$ pawl train Churn --set months=24 [^\n]*\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    curve = next(line for line in block[1].splitlines() if "0.5 to 1" in line)
    assert curve in done.stderr
    assert (tmp_path / "churn" / "model.json").exists()


def test_what_is_pushed_is_trained_and_served(repo: Repo, tmp_path: Path) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        for model, variables, answer in (
            ("Churn", {"months": 2}, {"leaves": True}),
            ("Class", {"months": 9}, {"leaves": False}),
            ("Scale", {"x": 3}, {"scaled": 6.0}),
        ):
            server.wait_live(model, "v1")
            assert server.score(model, **variables) == answer
            assert answered_by_a_run(server, model, variables)


def answered_by_a_run(server: Server, model: str, variables: dict[str, int]) -> str:
    return str(server.post(f"/{model}", {"variables": variables}).headers["x-pawl-run"])
