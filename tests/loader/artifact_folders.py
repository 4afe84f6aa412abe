"""Artifacts that are folders of a folder: a store that a test writes by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.errors import ArtifactGone
from core.release import Artifact


class ArtifactFolders:
    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, id: str, files: dict[str, str]) -> Artifact:
        for path, content in files.items():
            at = self.root / id / path
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_text(content)
        return Artifact(id, run=f"{id}-run")

    def fetch(self, id: str, into: Path) -> None:
        if not (self.root / id).is_dir():
            raise ArtifactGone(id)
        shutil.copytree(self.root / id, into, dirs_exist_ok=True, symlinks=True)
