from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import SourceError
from loader.sources.changes import Change
from loader.sources.git.commits.scratch import open_scratch
from tests.repos import Repo


def test_a_file_that_git_leaves_out_of_the_commit_fails_it(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Echo/etls.py", "one").commit()
    files = tmp_path / "files"
    (files / "git~1").mkdir(parents=True)
    (files / "etls.py").write_text("two")
    scratch = open_scratch(tmp_path / "scratch", repo.path / ".git")
    try:
        change = Change("Echo", files, "somebody", "Upload Echo", "")
        assert scratch.commit(change, (), repo.head) != repo.head
        (files / "git~1" / "config").write_text("lost")
        with pytest.raises(SourceError, match="git takes no file called 'Echo/git~1/config'"):
            scratch.commit(change, (), repo.head)
    finally:
        scratch.close()
