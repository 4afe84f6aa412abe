"""The first thing that a model's page says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.runs.states import RunState
from server.pages.card import short
from server.pages.facts import ModelFacts
from server.pages.layout import units
from server.pages.layout.moments import Moment, moment


@dataclass(frozen=True)
class Sentence:
    """What is live, since when, from which commit and whose."""

    version: str
    """Empty: nothing is live."""
    commit: str
    since: Moment | None
    author: str
    subject: str
    run: str
    takes: str
    """`2 workers, 120 MB`."""
    next: str
    """What the next push will do; where nothing is live, what has to happen before anything is."""


def sentence(facts: ModelFacts, now: datetime) -> Sentence:
    live, commit = facts.state.live, facts.commit
    if live is None:
        return Sentence("", "", None, "", "", "", "", _what_is_missing(facts))
    workers = f"{live.workers} worker{'' if live.workers == 1 else 's'}, {live.memory_mb} MB"
    return Sentence(
        version=live.version,
        commit=short(live.commit),
        since=moment(facts.live_since, now) if facts.live_since else None,
        author=commit.author if commit else "",
        subject=commit.subject if commit else "",
        run=live.run or "",
        takes=workers,
        next=next_push(facts),
    )


def next_push(facts: ModelFacts) -> str:
    if facts.is_held_by_pin_alone:
        return "It is served until it is unpinned."
    if facts.pin is not None:
        return "A newer push does not go live until it is unpinned."
    if facts.state.live is not None and facts.state.live.manifest.train is not None:
        return "The next push that changes its training goes live once its run is accepted."
    return "The next push goes live once its examples pass."


def _what_is_missing(facts: ModelFacts) -> str:
    run = facts.state.training
    if run is not None and run.is_going_on:
        return f"run {run.run} is accepted"
    if run is not None and run.state is RunState.REJECTED:
        return f"run {run.run} is accepted by hand, or a push passes"
    return "the version on its way has passed" if facts.state.doing else "a push passes"


@dataclass(frozen=True)
class Stat:
    """A number, and what it is measured against."""

    label: str
    value: str
    against: str


def stats(facts: ModelFacts) -> tuple[Stat, ...]:
    day, live = facts.day, facts.state.live
    limit = live.manifest.serve.memory_mb if live else None
    memory = f"{live.memory_mb} MB" if live else units.DASH
    return (
        Stat("Requests", units.count(day.now if day else None), "a minute"),
        Stat(
            "Errors",
            units.share(day.errors, day.requests) if day else units.DASH,
            f"{units.count(day.errors)} of {units.count(day.requests)} in 24 h" if day else "of what was answered",
        ),
        Stat("p95", units.milliseconds(day.p95_ms if day else None), "in 24 h"),
        Stat("Workers", units.count(live.workers if live else None), "that are ready"),
        Stat("Memory", memory, f"of {limit} MB" if limit else "no limit of its own"),
    )
