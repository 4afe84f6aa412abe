"""All runs that the store has records of, in memory, so that a list of them asks the store nothing."""

from __future__ import annotations

import logging
import threading
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec

from loader.artifacts.records import RunFiles, RunRecords
from loader.artifacts.slugs import slug
from trainer.catalogue.views import RunView, view_of_record
from trainer.records.record_names import attempts_in, decisive, is_verdict

log = logging.getLogger("pawl.trainer")

_AT_ONCE = 16
"""Chunks that are read at a time: a store elsewhere takes its time for each record."""
_CHUNK = 50


@dataclass(frozen=True)
class _Known:
    names: tuple[str, ...]
    view: RunView | None
    """None: it can't be read."""


class RunIndex:
    """`refresh` and `reread` block, and raise StoreUnavailable; what they found before stays."""

    def __init__(self, records: RunRecords) -> None:
        self._records = records
        self._known: dict[str, _Known] = {}
        self._newest: list[RunView] | None = None
        self._changing = threading.Lock()
        self.is_filled = False
        """Whether the store has been read once."""

    def find(self, key: str) -> RunView | None:
        known = self._known.get(key)
        return None if known is None else known.view

    def is_over(self, key: str) -> bool:
        """Whether it is written down what became of the run, and nobody has asked for another attempt since."""
        known = self._known.get(key)
        name = None if known is None else decisive(known.names)
        return name is not None and is_verdict(name)

    def newest_first(self) -> Sequence[RunView]:
        with self._changing:
            if self._newest is None:
                views = [known.view for known in self._known.values() if known.view is not None]
                self._newest = sorted(views, key=lambda view: view.cursor, reverse=True)
            return self._newest

    def unreadable(self) -> list[str]:
        """Keys of runs of which a record can't be read."""
        known = dict(self._known)
        return sorted(key for key, one in known.items() if one.view is None and decisive(one.names) is not None)

    def refresh(self) -> None:
        """See what has come and what has gone. Only what is new is read: records never change."""
        listed = self._records.list()
        before = dict(self._known)
        changed = [run for run in listed if _has_changed(before.get(run.key), run.names)]
        chunks = [changed[at : at + _CHUNK] for at in range(0, len(changed), _CHUNK)]
        with ThreadPoolExecutor(_AT_ONCE, "run records") as threads:
            read = {key: known for chunk in threads.map(self._read, chunks) for key, known in chunk.items()}
        gone = before.keys() - {run.key for run in listed}
        self._change(read, {key: before[key] for key in gone})
        self.is_filled = True

    def reread(self, model: str, key: str) -> RunView | None:
        """What the store says of one run now."""
        found = RunFiles(slug(model), key, self._records.names(model, key))
        known = self._known.get(key)
        if _has_changed(known, found.names):
            self._change(self._read([found]), {})
        return self.find(key)

    def _change(self, read: Mapping[str, _Known], gone: Mapping[str, _Known]) -> None:
        """Of two who read the same run, the one that saw more of it holds."""
        with self._changing:
            for key, known in read.items():
                if key not in self._known or set(self._known[key].names) <= set(known.names):
                    self._known[key] = known
            for key, known in gone.items():
                if self._known.get(key) is known:
                    del self._known[key]
            if read or gone:
                self._newest = None

    def _read(self, runs: Sequence[RunFiles]) -> dict[str, _Known]:
        named = [(run, name) for run in runs if (name := decisive(run.names)) is not None]
        contents = dict(zip((run.key for run, _ in named), self._records.get_each(named), strict=True))
        return {run.key: _Known(run.names, _view(run, contents.get(run.key))) for run in runs}


def _view(run: RunFiles, content: bytes | None) -> RunView | None:
    name = decisive(run.names)
    if name is None or content is None:
        return None
    try:
        return view_of_record(name, content)
    except msgspec.DecodeError as error:
        log.warning("the record %s of run %s (%s) can't be read: %s", name, run.key, run.model, error)
        return None


def _has_changed(known: _Known | None, names: tuple[str, ...]) -> bool:
    return known is None or _telling(known.names) != _telling(names)


def _telling(names: tuple[str, ...]) -> tuple[str | None, int]:
    """What of a run's files its view depends on."""
    return decisive(names), len(attempts_in(names))


def page(views: Sequence[RunView], limit: int, cursor: str | None) -> tuple[list[RunView], str | None]:
    """Of runs with the newest first, those after the cursor, and the cursor of what follows them."""
    start = 0 if cursor is None else bisect_left(views, True, key=lambda view: view.cursor < cursor)
    items = list(views[start : start + limit])
    return items, items[-1].cursor if start + limit < len(views) else None
