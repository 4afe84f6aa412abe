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


def test_without_an_artifact_of_its_code_it_says_how_to_train(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "Iris"
    shutil.copytree(ROOT / "models_serve" / "Iris", folder)
    shutil.copytree(ROOT / "models_serve" / ".artifacts", folder.with_name(".artifacts"))
    (folder / "train.py").write_text("def train(output): ...\n")
    done = pawl("check", folder, cwd=tmp_path)
    assert done.returncode == 1
    assert f"pawl train {folder}" in done.stdout.replace("\n", " ")
