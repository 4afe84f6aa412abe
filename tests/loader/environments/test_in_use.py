from __future__ import annotations

import os
from pathlib import Path

from loader.environments.environment import Environments
from loader.environments.in_use import hold, is_held


def environment(envs: Path, name: str) -> Path:
    folder = envs / name
    folder.mkdir(parents=True)
    (folder / "packages.json").write_text("{}")
    return folder


def test_an_environment_that_another_process_runs_in_is_kept_until_that_ends(tmp_path: Path) -> None:
    folder, other = environment(tmp_path, "a"), environment(tmp_path, "b")
    environments = Environments(tmp_path, dict(os.environ))
    ready, end = os.pipe(), os.pipe()
    if (pid := os.fork()) == 0:
        os.close(end[1])
        hold(folder)
        os.write(ready[1], b".")
        os.read(end[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    environments.prune(set())
    assert (folder.exists(), other.exists()) == (True, False)
    for handle in (*end, *ready):
        os.close(handle)
    os.waitpid(pid, 0)
    assert not is_held(folder)
    environments.prune(set())
    assert not folder.exists()


def test_an_environment_that_has_gone_can_not_be_held(tmp_path: Path) -> None:
    assert not hold(tmp_path / "gone")


def test_whoever_shares_the_folder_clears_nothing_that_is_half_built(tmp_path: Path) -> None:
    half = tmp_path / ".tmp-half"
    half.mkdir()
    Environments(tmp_path, dict(os.environ), aside=".run-")
    assert half.exists()
    Environments(tmp_path, dict(os.environ))
    assert not half.exists()
