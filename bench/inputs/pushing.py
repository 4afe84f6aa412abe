"""Repositories to push to, with models whose answers or files tell one push from the next."""

from __future__ import annotations

from pathlib import Path

from bench.machine.home import ROOT
from tests.repos import Repo
from tests.serving import echo


def remote(folder: Path) -> tuple[Repo, Path]:
    """A repository with a model that says which edition it is, and a bare remote to push to."""
    repo = Repo(folder / "models")
    repo.write("Echo/etls.py", echo("1"))
    copy_example(repo, "BreastCancer")
    repo.commit()
    return repo, repo.bare(folder / "remote.git")


def copy_example(repo: Repo, model: str) -> None:
    """The folder of one of the models that Pawl comes with."""
    for path in (ROOT / "models_serve" / model).iterdir():
        if path.is_file():
            repo.write(f"{model}/{path.name}", path.read_bytes())
