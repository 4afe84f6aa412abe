"""Folders as Kubernetes mounts ConfigMaps and Secrets, and swaps them on an update.

https://github.com/kubernetes/kubernetes/blob/master/pkg/volume/util/atomic_writer.go
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path


class Volume:
    """A mount at `path`: links to files in a hidden folder, by way of one link that an update swaps."""

    def __init__(self, path: Path, files: Mapping[str, str], mode: int = 0o644) -> None:
        self.path = path
        self._mode = mode
        self._updates = 0
        path.mkdir(parents=True, exist_ok=True)
        self.update(files)

    def update(self, files: Mapping[str, str]) -> None:
        """Mount those files instead, in the order of Kubernetes' own writer."""
        before = self._current()
        new = self._write(files)
        (self.path / "..data_tmp").symlink_to(new.name)
        os.rename(self.path / "..data_tmp", self.path / "..data")
        self._show({name.split("/")[0] for name in files})
        if before is not None:
            shutil.rmtree(before)

    def _current(self) -> Path | None:
        data = self.path / "..data"
        return self.path / os.readlink(data) if data.is_symlink() else None

    def _write(self, files: Mapping[str, str]) -> Path:
        self._updates += 1
        folder = self.path / f"..2026_11_30_09_00_00.{self._updates:09}"
        for name, content in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
            file.chmod(self._mode)
        return folder

    def _show(self, names: set[str]) -> None:
        for name in names:
            if not (self.path / name).is_symlink():
                (self.path / name).symlink_to(f"..data/{name}")
        for link in self.path.iterdir():
            if link.is_symlink() and not link.name.startswith("..") and link.name not in names:
                link.unlink()
