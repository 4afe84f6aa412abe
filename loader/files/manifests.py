"""The manifests of folders in the repository, each read once."""

from __future__ import annotations

from collections.abc import Callable

from core.errors import ReleaseFailed
from core.manifest.manifest import Manifest
from core.manifest.plain_yaml import MOST_BYTES
from loader.files.git_objects import Entry, Objects


class Manifests:
    """Reads manifests with `parse`, and remembers what came of it by the id of the file's content."""

    def __init__(self, parse: Callable[[bytes], Manifest]) -> None:
        self._parse = parse
        self._read: dict[str, Manifest | ReleaseFailed] = {}

    def read(self, entry: Entry, objects: Objects) -> Manifest:
        """What `model.yaml` says. Raises ReleaseFailed for one that can't be taken."""
        if not entry.is_file:
            raise ReleaseFailed("model.yaml: is not a regular file; commit the file itself", stage="manifest")
        found = self._read.get(entry.id) or self._remember(entry.id, objects)
        if isinstance(found, ReleaseFailed):
            # A fresh one each time: an exception that is raised again collects tracebacks.
            raise ReleaseFailed(str(found), stage=found.stage)
        return found

    def clear(self) -> None:
        self._read.clear()

    def _remember(self, id: str, objects: Objects) -> Manifest | ReleaseFailed:
        if len(self._read) > _MOST_READ:
            self._read.clear()
        self._read[id] = found = self._parsed(id, objects)
        return found

    def _parsed(self, id: str, objects: Objects) -> Manifest | ReleaseFailed:
        try:
            if objects.size(id) > MOST_BYTES:
                raise ReleaseFailed(
                    "model.yaml: is larger than a megabyte; keep data in files of its own", stage="manifest"
                )
            return self._parse(objects.blob(id))
        except ReleaseFailed as failed:
            return failed


_MOST_READ = 10_000
