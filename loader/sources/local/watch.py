"""Watching a local folder for what changes in it."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import watchfiles

from loader.sources.local.ignored import is_ignored

log = logging.getLogger(__name__)


class Watch:
    """Calls `changed` after each change in `folder` that may matter to a model, until `closed`.

    `through` says which hidden entries the models' links lead through, as of now: changes there matter too. Links are
    not followed: one that leads to a large or unreadable place would end the watch for all models.
    """

    def __init__(
        self,
        folder: Path,
        through: Callable[[], frozenset[str]],
        changed: Callable[[], object],
        closed: threading.Event,
        most_folders: int,
    ) -> None:
        self._folder = folder
        self._through = through
        self._changed = changed
        self._closed = closed
        self._most_folders = most_folders
        self._failing = False

    def run(self) -> None:
        while not self._closed.is_set():
            try:
                self._watch(self._through())
            except Exception as error:
                if isinstance(error, FileNotFoundError) and os.path.isdir(self._folder):
                    self._closed.wait(_RELIST_S)  # a folder went between being listed and being watched
                    continue
                self._tell(error)
                self._closed.wait(_WATCH_AGAIN_S)
                self._changed()

    def _watch(self, through: frozenset[str]) -> None:
        """Watch until other folders are to be watched."""
        folders = self._folders(through)
        identity = _identity(self._folder)
        is_first = True
        for changes in watchfiles.watch(
            *folders,
            watch_filter=lambda _, path: self._matters(path, through),
            stop_event=self._closed,
            rust_timeout=500,
            yield_on_timeout=True,
            raise_interrupt=False,
            recursive=False,
        ):
            if changes or is_first:
                # What changed between the last watch and this one was told by neither.
                self._changed()
            if (
                (is_first and folders != self._folders(through))
                or any(_is_folder_new(kind, path, folders) for kind, path in changes)
                or through != self._through()
                or identity != _identity(self._folder)
            ):
                return
            self._failing = is_first = False

    def _folders(self, through: frozenset[str]) -> set[str]:
        """All folders that files of models can be in."""
        found = {os.fspath(self._folder)}
        tops = [os.path.join(self._folder, name) for name in os.listdir(self._folder) if not is_ignored(name)]
        tops += [os.path.join(self._folder, path) for path in through]
        for top in tops:
            found |= {*islice(_inside(top), self._most_folders)}
        return found

    def _matters(self, path: str, through: frozenset[str]) -> bool:
        parts = os.path.relpath(path, self._folder).split("/")
        above = ("/".join(parts[: at + 1]) for at, part in enumerate(parts) if is_ignored(part))
        hidden = next(above, None)
        return hidden is None or hidden == "." or hidden in through

    def _tell(self, error: Exception) -> None:
        """Once, until it works again."""
        if not self._failing:
            log.warning(
                "%s can't be watched (%s); it is looked at every %.0f s until it can",
                *(self._folder, error, _WATCH_AGAIN_S),
            )
        self._failing = True


def _inside(top: str) -> Iterator[str]:
    """The folder and those in it that can be read, without those that links lead to."""
    todo = [top]
    while todo:
        folder = todo.pop()
        try:
            if os.path.islink(folder):
                continue
            with os.scandir(folder) as entries:
                todo += [
                    entry.path
                    for entry in entries
                    if not is_ignored(entry.name) and entry.is_dir(follow_symlinks=False)
                ]
        except OSError:
            continue
        yield folder


def _is_folder_new(kind: watchfiles.Change, path: str, folders: set[str]) -> bool:
    """Whether the change makes for other folders than those."""
    if path in folders:
        return kind != watchfiles.Change.modified
    return os.path.isdir(path) and not os.path.islink(path)


def _identity(folder: Path) -> tuple[int, int]:
    found = os.stat(folder)
    return found.st_dev, found.st_ino


_WATCH_AGAIN_S = 5.0
_RELIST_S = 0.1
