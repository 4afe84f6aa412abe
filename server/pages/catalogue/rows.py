"""The rows of the catalogue: chosen, ordered, and cut into pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from server.pages.card import short
from server.pages.catalogue.model_status import Group, ModelStatus, Note, model_status
from server.pages.catalogue.sparkline import Sparkline, sparkline
from server.pages.facts import ModelFacts
from server.pages.layout import units
from server.pages.layout.chips import Chip
from server.pages.layout.moments import Moment, moment

PAGE = 100
"""Rows that are shown at once; the rest comes as one scrolls or searches."""
FILTERS = {"": None, "trouble": Group.TROUBLE, "moving": Group.MOVING, "live": Group.LIVE}


@dataclass(frozen=True)
class Row:
    """One model. Texts, none of them escaped."""

    name: str
    about: str
    group: Group
    begins_group: bool
    """Whether the group's heading stands above it."""
    chip: Chip
    version: str
    commit: str
    subject: str
    author: str
    initials: str
    since: Moment | None
    spark: Sparkline
    rate: str
    errors: str
    p95: str
    note: Note | None


@dataclass(frozen=True)
class Listing:
    """One page of the catalogue."""

    rows: tuple[Row, ...]
    counts: Mapping[Group, int]
    """Models of each group, whatever is filtered."""
    found: int
    """Models that match."""
    after: str
    """The cursor of what follows; empty: nothing does."""


def listing(
    facts: Iterable[ModelFacts], now: datetime, *, q: str = "", group: Group | None = None, after: str = ""
) -> Listing:
    """`q`: words of a name, a description, an author, a subject or a commit. `after`: a cursor."""
    known = [(one, model_status(one, now)) for one in facts]
    found = [(one, how) for one, how in known if group in (None, how.group) and _matches(one, q)]
    found.sort(key=lambda pair: _key(*pair))
    rest = [pair for pair in found if _cursor(*pair) > after] if after else found
    shown, last = rest[:PAGE], after[:1]
    rows = []
    for one, how in shown:
        rows.append(_row(one, how, now, begins_group=str(how.group.rank) != last))
        last = str(how.group.rank)
    counts = Counter(how.group for _, how in known)
    return Listing(tuple(rows), counts, len(found), _cursor(*shown[-1]) if len(rest) > PAGE else "")


def initials(author: str) -> str:
    """Of `risk-team`: RT."""
    words = [word for word in author.replace("-", " ").replace("_", " ").replace(".", " ").split() if word]
    return "".join(word[0] for word in words[:2]).upper()


def _key(one: ModelFacts, how: ModelStatus) -> tuple[str, str]:
    """Within a group, what is broken comes before what only waits for somebody."""
    return f"{how.group.rank}{int(how.chip.kind != 'bad')}", one.name


def _cursor(one: ModelFacts, how: ModelStatus) -> str:
    return ".".join(_key(one, how))


def _matches(one: ModelFacts, q: str) -> bool:
    live, commit, failure = one.state.live, one.commit, one.state.failure
    texts = [one.name]
    if live is not None:
        texts += [live.about, live.commit, live.version]
    if commit is not None:
        texts += [commit.subject, commit.author]
    if failure is not None:
        texts += [failure.commit, failure.version]
    everything = "\n".join(texts).casefold()
    return all(word in everything for word in q.casefold().split())


def _row(one: ModelFacts, how: ModelStatus, now: datetime, *, begins_group: bool) -> Row:
    live, commit, day = one.state.live, one.commit, one.day
    since = one.live_since or (commit.at if commit else None)
    author = commit.author if commit else ""
    return Row(
        name=one.name,
        about=live.about.strip().partition("\n\n")[0] if live else "",
        group=how.group,
        begins_group=begins_group,
        chip=how.chip,
        version=live.version if live else "",
        commit=short(live.commit) if live else "",
        subject=commit.subject if commit and live else "",
        author=author,
        initials=initials(author),
        since=moment(since, now) if since else None,
        spark=sparkline(day),
        rate=units.count(day.now) if day else units.DASH,
        errors=units.share(day.errors, day.requests) if day else units.DASH,
        p95=units.milliseconds(day.p95_ms) if day else units.DASH,
        note=how.note,
    )
