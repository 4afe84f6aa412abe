from __future__ import annotations

import subprocess
from pathlib import Path

from bench.inputs.deep import write_deep


def test_a_history_has_the_commits_merges_and_folders_that_it_is_to_have(tmp_path: Path) -> None:
    write_deep(tmp_path / "deep.git", commits=200, folders=7)
    assert len(git(tmp_path, "rev-list", "main")) == 200
    assert 5 < len(git(tmp_path, "rev-list", "--merges", "main")) < 50
    assert len(git(tmp_path, "ls-tree", "main")) == 7


def git(tmp_path: Path, *arguments: str) -> list[str]:
    return subprocess.run(
        ["git", *arguments], cwd=tmp_path / "deep.git", check=True, capture_output=True, text=True
    ).stdout.splitlines()
