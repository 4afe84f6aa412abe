"""The folders that runs train in: a model's code as a commit has it, one for each code key."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from glob import glob
from hashlib import sha1
from pathlib import Path

from core.folders import remove_tree
from core.release import Revision

CheckOut = Callable[[Revision, Path], None]
"""Writes a revision's files into an empty folder. Raises ReleaseFailed."""


class CodeFolders:
    """`root`/<code key>/: the model's folder and those it uses. Each is whole or absent."""

    def __init__(self, root: Path, check_out: CheckOut) -> None:
        self._root = root
        self._check_out = check_out
        root.mkdir(parents=True, exist_ok=True)
        for leftover in root.glob(".tmp-*"):
            remove_tree(leftover)

    def path(self, code_key: str) -> Path:
        return self._root / code_key

    def put(self, revision: Revision) -> Path:
        """Raises ReleaseFailed, OSError."""
        assert revision.code_key is not None
        path = self.path(revision.code_key)
        if not path.is_dir():
            aside = Path(tempfile.mkdtemp(prefix=".tmp-", dir=self._root))
            try:
                self._check_out(revision, aside)
                _leave_out_serving(aside / revision.model)
                aside.chmod(0o755)
                aside.rename(path)
            finally:
                remove_tree(aside)
        return path

    def prune(self, keep: set[str]) -> None:
        for path in self._root.iterdir():
            if path.name not in keep:
                remove_tree(path)


def code_home(data: Path) -> Path:
    return data / "runs" / ".code"


def trained_folders(data: Path) -> list[tuple[str, Path]]:
    """Models, and folders that their code is trained in: `root`/<model>. Folders that models use are among them."""
    found = [code_home(data) / folder for folder in glob("*/*/", root_dir=code_home(data))]
    return [(folder.name, folder.parent) for folder in found]


def git_ids(folder: Path, address: str) -> dict[str, str]:
    """The ids that git gives the files at `address` in the folder, by path from the folder."""
    place = folder / address
    if not place.resolve().is_relative_to(folder.resolve()):
        return {}
    found = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): _git_id(path) for path in found}


def _git_id(path: Path) -> str:
    """As `git hash-object` says."""
    with open(path, "rb") as file:
        digest = sha1(b"blob %d\0" % os.fstat(file.fileno()).st_size, usedforsecurity=False)
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _leave_out_serving(folder: Path) -> None:
    """Where the code is in train.py, what it leaves can't depend on etls.py: a run doesn't have it."""
    etls = folder / "etls.py"
    if (folder / "train.py").exists() and etls.exists():
        folder.chmod(0o755)
        etls.unlink()
