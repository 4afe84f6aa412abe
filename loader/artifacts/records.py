"""What the store knows of runs: attempts, results, logs. Each is written once, and survives the database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from loader.artifacts.files.files import Files
from loader.artifacts.slugs import slug


@dataclass(frozen=True)
class RunFiles:
    """What there is of a run."""

    model: str
    """The model's slug; the name itself is in the results."""
    key: str
    names: tuple[str, ...]


class RunRecords:
    """`runs/<slug of the model>/<run key>/<name>` in a store. Every method raises StoreUnavailable."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def put_once(self, model: str, key: str, name: str, content: bytes) -> bool:
        """Whether this was the one that wrote it; if not, what the first wrote stays, and `get` gives that."""
        return self._files.create(_path(model, key, name), content)

    def put(self, model: str, key: str, name: str, content: bytes) -> None:
        """Write it, or write it again: for logs."""
        self._files.write(_path(model, key, name), content)

    def get(self, model: str, key: str, name: str) -> bytes | None:
        return self._read(_path(model, key, name))

    def get_listed(self, run: RunFiles, name: str) -> bytes | None:
        """`get` for a run as `list` gives it: by its model's slug."""
        return self._read(f"{_ROOT}/{run.model}/{run.key}/{name}")

    def get_each(self, listed: Sequence[tuple[RunFiles, str]]) -> list[bytes | None]:
        """A file of each of several runs, as `list` gives them."""
        return self._files.read_each([f"{_ROOT}/{run.model}/{run.key}/{name}" for run, name in listed])

    def names(self, model: str, key: str) -> tuple[str, ...]:
        """What there is of one run."""
        return tuple(file.name for file in self._files.files(_path(model, key, "x")[:-2]))

    def list(self, model: str | None = None) -> list[RunFiles]:
        """All runs, or a model's."""
        under = _ROOT if model is None else f"{_ROOT}/{slug(model)}"
        prefix = "" if model is None else f"{slug(model)}/"
        found: dict[tuple[str, str], list[str]] = {}
        for file in self._files.files(under):
            parts = f"{prefix}{file.name}".split("/")
            if len(parts) == 3 and _KEY.match(parts[1]) and _NAME.match(parts[2]):
                found.setdefault((parts[0], parts[1]), []).append(parts[2])
        return [RunFiles(slug, key, tuple(sorted(names))) for (slug, key), names in sorted(found.items())]

    def _read(self, path: str) -> bytes | None:
        try:
            return self._files.read(path)
        except FileNotFoundError:
            return None


_ROOT = "runs"
_KEY = re.compile(r"[0-9a-f]{12}\Z")
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,60}\Z")


def _path(model: str, key: str, name: str) -> str:
    """Raises ValueError for what can't be in the store: keys come from URLs too."""
    if not _KEY.match(key) or not _NAME.match(name):
        raise ValueError(f"{key!r}/{name!r} is not the name of a run's file")
    return f"{_ROOT}/{slug(model)}/{key}/{name}"
