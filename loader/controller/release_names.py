"""What a release is asked for by: `vN` or a commit."""

from __future__ import annotations

from core.release import Wanted
from loader.desire import wanted
from loader.sources.source import Source


class ReleaseNames:
    """Finds releases by name, of the models that the source has."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def find(self, model: str, name: str) -> Wanted:
        """Blocks. Raises VersionNotFound or VersionAmbiguous."""
        return wanted(self._source.resolve(model, name))
