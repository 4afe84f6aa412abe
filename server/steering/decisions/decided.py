"""The registry's pins and rejections, as the reconciler takes them: with the releases that they name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from core.decisions import Decisions, Rejected
from core.release import Served, Version
from core.steering import Rejection
from server.steering.decisions.rows import Rows
from server.steering.version_labels import version_of


@dataclass(frozen=True)
class Named:
    """A release as a row names it."""

    model: str
    release: str
    version: str
    commit: str
    run: str


Find = Callable[[Named], Served | None]
"""The release, wherever it may be found; it may block. None: nowhere."""


class Decided:
    """For the loop's own thread, but for `look_for`, which may be called in any."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self.rows: Rows | None = None
        """None: the registry was not read yet, and what a restart knows of them holds."""
        self._found: Mapping[Named, Served | None] = {}
        """Replaced whole."""

    def read(self) -> Rows | None:
        return self.rows

    def take(self, rows: Rows) -> bool:
        """Whether that is news. What is new is to be looked for before it is asked for."""
        is_news = rows != self.rows
        self.rows = rows
        return is_news

    def look_for(self) -> None:
        """What the rows name, as far as that was not found yet. Blocks."""
        if self.rows is None:
            return
        known = self._found
        self._found = {one: known.get(one) or self._find(one) for one in _named(self.rows)}

    def over(self, decisions: Decisions) -> Decisions:
        """Those of others, with what people decided."""
        if self.rows is None:
            return decisions
        pins = {model: self._found.get(pin_name(self.rows, model)) for model in self.rows.pins}
        return replace(
            decisions,
            pins={model: served for model, served in pins.items() if served is not None},
            missing={model: self._version(model) for model, served in pins.items() if served is None},
            rejections=_rejections(self.rows),
            targets=self._targets(self.rows),
        )

    def _version(self, model: str) -> Version:
        assert self.rows is not None
        pin = self.rows.pins[model]
        return version_of(pin.version, pin.commit)

    def _targets(self, rows: Rows) -> dict[str, Served]:
        found: dict[str, Served] = {}
        seen = set[str]()
        for named in _target_names(rows):  # the newest of each model
            served = self._found.get(named)
            if named.model not in seen and served is not None:
                found[named.model] = served
            seen.add(named.model)
        return found


def pin_name(rows: Rows, model: str) -> Named:
    pin = rows.pins[model]
    return Named(model, pin.release, pin.version, pin.commit, pin.run)


def _target_names(rows: Rows) -> list[Named]:
    return [
        Named(one.model, one.to_release, one.to_version, one.to_commit, one.to_run)
        for one in rows.rejections
        if one.to_release
    ]


def _named(rows: Rows) -> list[Named]:
    return [*(pin_name(rows, model) for model in rows.pins), *_target_names(rows)]


def _rejections(rows: Rows) -> dict[str, Rejected]:
    by_model = defaultdict[str, list[Rejection]](list)
    for one in rows.rejections:
        by_model[one.model].append(one)
    return {
        model: Rejected(
            frozenset(one.release for one in found),
            frozenset(one.run for one in found if one.run),
            frozenset(one.release for one in found if one.pinned_at is not None),
        )
        for model, found in by_model.items()
    }
