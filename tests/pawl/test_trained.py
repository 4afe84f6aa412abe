"""`pawl check` of folders that train."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.pawl.commands import pawl

ROOT = Path(__file__).parents[2]


def test_a_folder_that_trains_is_checked_with_the_artifact_that_is_shipped_beside_it(tmp_path: Path) -> None:
    for name in ("Iris", ".artifacts"):
        shutil.copytree(ROOT / "models_serve" / name, tmp_path / "models" / name)
    done = pawl("check", tmp_path / "models" / "Iris", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert [trial["ok"] for trial in json.loads(done.stdout)["trials"]] == [True] * 3


def untrained(tmp_path: Path, code: str = "def train(output): ...\n") -> Path:
    """A folder of which another code was trained."""
    folder = tmp_path / "models" / "Iris"
    shutil.copytree(ROOT / "models_serve" / "Iris", folder)
    shutil.copytree(ROOT / "models_serve" / ".artifacts", folder.with_name(".artifacts"))
    (folder / "train.py").write_text(code)
    return folder


def test_a_folder_that_was_never_trained_passes_and_says_how_to_train_it(tmp_path: Path) -> None:
    folder = untrained(tmp_path)
    done = pawl("check", folder, cwd=tmp_path)
    told = dict(line.split("\t", 1) for line in done.stdout.splitlines())
    assert done.returncode == 0, done.stdout
    assert told["verdict"] == "can be trained, and has not been trained"
    assert f"pawl train {folder}" in told["not tried"]
    verdict = json.loads(pawl("check", folder, "--json", cwd=tmp_path).stdout)
    assert (verdict["ok"], verdict["failure"], verdict["release"]) == (True, None, None)
    assert f"pawl train {folder}" in verdict["untrained"]


def test_a_folder_that_was_never_trained_and_has_nothing_to_train_by_fails(tmp_path: Path) -> None:
    done = pawl("check", untrained(tmp_path, "def fit(output): ...\n"), cwd=tmp_path)
    assert done.returncode == 1
    assert "train.py has neither a function train nor a class with a method train" in done.stdout.replace("\n", " ")


def test_examples_of_a_folder_that_was_never_trained_are_read(tmp_path: Path) -> None:
    folder = untrained(tmp_path)
    (folder / "examples.json").write_text("[{]")
    done = pawl("check", folder, cwd=tmp_path)
    assert done.returncode == 1
    assert "failed at examples\texamples.json" in done.stdout
