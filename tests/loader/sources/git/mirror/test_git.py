from __future__ import annotations

import os
from pathlib import Path

from loader.sources.git.mirror.mirror_objects import MirrorObjects
from tests.processes import descendants
from tests.repos import Repo


def test_a_signal_to_the_servers_process_group_does_not_reach_a_git_that_reads(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.commit_file("Iris/etls.py", "1")
    objects = MirrorObjects(tmp_path / "models/.git")
    before = descendants(os.getpid())
    assert objects.resolve("HEAD") == repo.head
    reading = descendants(os.getpid()) - before
    assert reading
    assert os.getpgrp() not in {os.getpgid(pid) for pid in reading}
    objects.close()
