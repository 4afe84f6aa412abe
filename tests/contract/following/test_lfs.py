"""Git LFS as the whole server meets it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.githttp import git_server
from tests.processes import wait_dead
from tests.repos import Repo
from tests.serving import echo, serving

THREADS = min(31, (os.cpu_count() or 1) + 5)
"""More than a loop's default executor has, as far as that goes."""


def test_models_deploy_beside_large_files_that_drip_and_a_stop_waits_for_none_of_them(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "work")
    with git_server(tmp_path / "served") as git:
        for number in range(THREADS):
            repo.write(f"Large{number}/etls.py", echo("large"))
            repo.write(f"Large{number}/big.bin", git.hold_large(f"{number}".encode()))
        repo.write("Small/etls.py", echo("one")).commit()
        served = repo.bare(tmp_path / "served/models.git")
        git.drip_at = "/large/"
        with serving(tmp_path / "data", git.url("models.git"), ready=False) as server:
            server.wait(lambda: git.asked_for("/large/") == THREADS, "the downloads")
            server.wait_live("Small", "v1")
            repo.commit_file("Small/etls.py", echo("two"))
            repo.push(served)
            server.look()
            server.wait_live("Small", "v2")
            pids = server.pids()
            assert server.stop() == 0
            wait_dead(pids, "every process")
