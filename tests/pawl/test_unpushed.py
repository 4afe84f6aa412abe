from __future__ import annotations

import json
from pathlib import Path

import pytest

from pawl.check.unpushed import unpushed
from tests.pawl.commands import ADDS, pawl
from tests.repos import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "models")
    repo.write("sub/Adds/etls.py", ADDS).write("sub/Adds/kept.txt", "1").write("sub/Other/etls.py", ADDS)
    repo.write(".gitignore", "*.pkl\ndata/\n").write("sub/Adds/.gitattributes", "*.lfs filter=lfs\n*.odd filter=odd\n")
    repo.write("sub/Adds/pulled.lfs", "the file").write("sub/Adds/x.odd", "odd").commit()
    return repo


def found(repo: Repo, *names: str) -> dict[str, str]:
    return {one.path: one.why for one in unpushed(repo.path / "sub", names or ("Adds",))}


def test_what_git_has_as_it_lies_here_is_not_told(repo: Repo) -> None:
    assert found(repo, "Other", "requirements.txt") == {}
    repo.write("sub/Other/__pycache__/etls.pyc").write("sub/Other/.hidden")
    assert found(repo, "Other") == {}, "the check leaves it out as well"


def test_what_git_would_not_push_is_told_with_the_reason(repo: Repo) -> None:
    repo.write("sub/Adds/new file é.txt").write("sub/Adds/model.pkl").write("sub/Adds/data/table.csv")
    repo.write("sub/Adds/etls.py", ADDS + "\n# changed").write("sub/Adds/staged.txt").git("add", "sub/Adds/staged.txt")
    repo.write("sub/Adds/x.lfs", "version https://git-lfs.github.com/spec/v1\n").git("add", "sub/Adds/x.lfs")
    repo.git("commit", "-qm", "a pointer", "sub/Adds/x.lfs")
    (repo.path / "sub/Adds/kept.txt").unlink()
    (repo.path / "sub/Adds/empty").mkdir()
    why = found(repo)
    assert {path: reason.split()[0] for path, reason in why.items()} == {
        "Adds/new file é.txt": "not",
        "Adds/model.pkl": "ignored",
        "Adds/data/": "ignored",
        "Adds/etls.py": "not",
        "Adds/staged.txt": "not",
        "Adds/kept.txt": "deleted",
        "Adds/x.lfs": "only",
        "Adds/x.odd": "kept",
        "Adds/empty/": "an",
    }


def test_outside_of_a_repository_there_is_nothing_to_tell(tmp_path: Path) -> None:
    (tmp_path / "Adds").mkdir()
    (tmp_path / "Adds/etls.py").write_text(ADDS)
    assert unpushed(tmp_path, ["Adds"]) == ()


def test_what_git_tells_its_hooks_misleads_nobody(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.write("sub/Adds/model.pkl")
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert "Adds/model.pkl" in found(repo)


def test_a_check_warns_of_them_and_names_a_bounded_number(repo: Repo) -> None:
    for number in range(30):
        repo.write(f"sub/Adds/{number:02}.pkl")
    folder = repo.path / "sub" / "Adds"
    done = pawl("check", folder, cwd=repo.path)
    assert done.returncode == 0, done.stdout
    assert "Adds/00.pkl: ignored by git" in done.stdout
    assert "and 11 more" in done.stdout
    verdict = json.loads(pawl("check", folder, "--json", cwd=repo.path).stdout)
    assert verdict["unpushed"][0] == {"path": "Adds/00.pkl", "why": "ignored by git"}
    assert (len(verdict["unpushed"]), verdict["unpushed_more"]) == (20, 11)
