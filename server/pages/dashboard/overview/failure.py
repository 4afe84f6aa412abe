"""The newest failure of a model, with its traceback."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from server.pages.card import short
from server.pages.commit_texts import first_line
from server.pages.facts import ModelFacts
from server.pages.layout.moments import Moment, moment

_FRAME = re.compile(r'\s*File "(?P<file>[^"]+)", line (?P<line>\d+)')
_RELEASE = re.compile(r'(?<= File ")/[^"]*/releases/[^/"]+/[0-9a-f]{20}/')
"""Where a release lies: the server's business, and longer than the screen."""


@dataclass(frozen=True)
class TracebackLine:
    text: str
    is_culprit: bool
    """Whether it belongs to the last frame of the author's own code."""


@dataclass(frozen=True)
class FailureView:
    version: str
    commit: str
    stage: str
    said: str
    where: str
    """`features.py:41`; empty where there is no traceback."""
    more: str
    """What the message goes on to say."""
    at: Moment | None
    tries: str
    frames: int
    traceback: tuple[TracebackLine, ...]
    stays: str


def failure_view(facts: ModelFacts, now: datetime) -> FailureView | None:
    failure, live = facts.state.failure, facts.state.live
    if failure is None:
        return None
    lines = failure.detail.rstrip().splitlines()
    said, where = first_line(failure.message), _where(lines, facts.name)
    return FailureView(
        version=failure.version,
        commit=short(failure.commit),
        stage=failure.stage,
        said=said.removeprefix(f"{where.replace(':', ', line ')}: "),
        where=where,
        more=failure.message[len(said) :].strip(),
        at=moment(facts.failed_at, now) if facts.failed_at else None,
        tries=f"tried {failure.tries} time{'' if failure.tries == 1 else 's'}",
        frames=sum(1 for line in lines if _FRAME.match(line)),
        traceback=_marked(lines, facts.name),
        stays=f"{live.version} stays live." if live else "Nothing is live.",
    )


def _own_frame(lines: list[str], model: str) -> int | None:
    """Where the last frame of the model's own code begins."""
    frames = [(place, found["file"]) for place, line in enumerate(lines) if (found := _FRAME.match(line))]
    own = [place for place, file in frames if f"/{model}/" in file or "/" not in file]
    return own[-1] if own else None


def _where(lines: list[str], model: str) -> str:
    place = _own_frame(lines, model)
    found = _FRAME.match(lines[place]) if place is not None else None
    return f"{found['file'].rpartition(f'/{model}/')[2]}:{found['line']}" if found else ""


def _marked(lines: list[str], model: str) -> tuple[TracebackLine, ...]:
    begins = _own_frame(lines, model)
    if begins is None:
        return tuple(TracebackLine(_RELEASE.sub("", line), False) for line in lines)
    ends = begins + 1
    while ends < len(lines) and lines[ends].startswith("    ") and not _FRAME.match(lines[ends]):
        ends += 1
    return tuple(TracebackLine(_RELEASE.sub("", line), begins <= place < ends) for place, line in enumerate(lines))
