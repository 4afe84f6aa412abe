"""How two versions differ, as a page shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from server.pages.layout import units
from server.versions.views import DiffView, PackagesDiff

_MOST_LINES = 3_000
_TOLD = ("Binary files", "rename ", "new file", "deleted")
"""Lines of a file's header that people need too."""
_LONGEST_ANSWER = 2_000
"""Characters of one that is shown."""


@dataclass(frozen=True)
class DiffLine:
    kind: str
    """file, hunk, added, removed or same."""
    text: str


@dataclass(frozen=True)
class PackageRow:
    name: str
    before: str
    after: str
    change: str


@dataclass(frozen=True)
class AnswerRow:
    asked: str
    before: str
    after: str
    says: str
    differs: bool


@dataclass(frozen=True)
class Comparison:
    lines: tuple[DiffLine, ...] | None
    """None: the files of one of them are not there any more."""
    is_cut: bool
    files: int
    added: int
    removed: int
    packages: tuple[PackageRow, ...] | None
    """None: one of them was never started here."""
    scores: tuple[tuple[str, str, str], ...]
    answers: tuple[AnswerRow, ...]


def comparison(view: DiffView) -> Comparison:
    lines = None if view.diff is None else diff_lines(view.diff)
    shown = None if lines is None else lines[:_MOST_LINES]
    kinds = [line.kind for line in lines or ()]
    return Comparison(
        lines=shown,
        is_cut=view.truncated or len(lines or ()) > _MOST_LINES,
        files=kinds.count("file"),
        added=kinds.count("added"),
        removed=kinds.count("removed"),
        packages=None if view.packages is None else packages(view.packages),
        scores=tuple(
            (name, units.number(score.before), units.number(score.after)) for name, score in view.scores.items()
        ),
        answers=tuple(_answer(one.variables, one.before, one.after, one.same) for one in view.answers),
    )


def diff_lines(text: str) -> tuple[DiffLine, ...]:
    """Of git's own form, without the lines that only git needs."""
    found = []
    in_header = False
    for line in text.splitlines():
        if begins := re.match(r"diff --git a/(.*) b/", line):
            in_header = True
            found.append(DiffLine("file", begins[1]))
        elif line.startswith("@@"):
            in_header = False
            found.append(DiffLine("hunk", line))
        elif in_header:
            found += [DiffLine("same", line)] if line.startswith(_TOLD) else []
        else:
            found.append(DiffLine({"+": "added", "-": "removed"}.get(line[:1], "same"), line))
    return tuple(found)


def packages(diff: PackagesDiff) -> tuple[PackageRow, ...]:
    rows = [PackageRow(name, units.DASH, version, "added") for name, version in diff.added.items()]
    rows += [PackageRow(name, version, units.DASH, "removed") for name, version in diff.removed.items()]
    rows += [PackageRow(name, *versions, "changed") for name, versions in diff.changed.items()]
    return tuple(sorted(rows, key=lambda row: row.name))


def _answer(asked: Any, before: Any, after: Any, same: bool | None) -> AnswerRow:
    says = "not asked of both" if same is None else "the same" if same else "differs"
    return AnswerRow(_json(asked), _json(before), _json(after), says, same is False)


def _json(value: Any) -> str:
    text = units.DASH if value is None else msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST_ANSWER else f"{text[:_LONGEST_ANSWER]}…"
