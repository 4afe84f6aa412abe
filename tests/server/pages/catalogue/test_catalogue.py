from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec

from core.events import Actor
from core.steering import Pin
from server.pages.catalogue.model_status import Group
from server.pages.catalogue.rows import Row, initials, listing
from server.pages.catalogue.sparkline import sparkline
from server.pages.facts import CommitText, DayTraffic, ModelFacts
from server.state import PinnedTo
from tests.server.states import failure, live, model

NOW = datetime(2026, 3, 12, 14, 30, tzinfo=UTC)


def facts(name: str, **fields: object) -> ModelFacts:
    return ModelFacts(state=msgspec.structs.replace(model(name, live()), **fields))


def one(found: ModelFacts) -> Row:
    (row,) = listing([found], NOW).rows
    return row


def test_trouble_comes_first_then_what_moves_then_the_rest_by_name() -> None:
    found = listing(
        [
            facts("a"),
            facts("b", doing="load", state="starting"),
            facts("c", failure=failure("no")),
            facts("d", live=None, failure=failure("no")),
            facts("e"),
        ],
        NOW,
    )
    assert [(row.name, row.chip.word) for row in found.rows] == [
        ("c", "push failed"),
        ("d", "never live"),
        ("b", "starting"),
        ("a", "live"),
        ("e", "live"),
    ]
    assert [row.name for row in found.rows if row.begins_group] == ["c", "b", "a"]
    assert found.counts == {Group.TROUBLE: 2, Group.MOVING: 1, Group.LIVE: 2}


def test_a_failure_says_in_one_line_what_failed_when_and_what_stays_live() -> None:
    failed = facts("a", failure=failure("etls.py:3: no class\nand much more", version="v4"))
    note = one(replace(failed, failed_at=NOW - timedelta(minutes=11))).note
    assert note is not None
    assert note.moment is not None
    assert (note.strong, note.moment.ago) == ("v4 failed at load", "11 min ago")
    assert note.text == "etls.py:3: no class. v3 stays live."
    assert note.link == "#failure"


def test_what_is_on_its_way_is_told_in_words() -> None:
    said = {
        "load": "starting its workers. v3 answers meanwhile.",
        "waits for memory": "waits for memory. v3 answers meanwhile.",
    }
    for doing, text in said.items():
        note = one(facts("a", doing=doing, state="starting")).note
        assert note is not None
        assert note.text == text


def test_a_pin_is_noted_with_who_and_why_unless_something_failed() -> None:
    pin = Pin(model="a", release="r", version="v3", actor=Actor(kind="key", name="ops"), reason="quarter's end", at=NOW)
    pinned = one(replace(facts("a"), pin=pin))
    assert pinned.chip.word == "pinned"
    assert pinned.note is not None
    assert (pinned.note.strong, pinned.note.text) == ("Pinned to v3", "by ops: “quarter's end”.")
    assert (pinned.note.link, pinned.note.link_says) == ("/actions/unpin", "Unpin…")
    gone = PinnedTo(version="v3", commit="c", folder_gone=True)
    alone = one(replace(facts("a", pin=gone), pin=pin))
    assert alone.note is not None
    assert alone.note.text == "by ops: “quarter's end”. Its folder has gone: only the pin keeps it."
    assert one(replace(facts("a", failure=failure("no")), pin=pin)).chip.word == "push failed"


def test_what_is_broken_comes_before_what_only_waits_and_the_cursor_keeps_to_that() -> None:
    pin = Pin(model="a", release="r", version="v3", at=NOW)
    many = [replace(facts(f"a{number:03d}"), pin=pin) for number in range(120)]
    many += [facts(f"z{number}", failure=failure("no")) for number in range(3)]
    first = listing(many, NOW)
    second = listing(many, NOW, after=first.after)
    names = [row.name for found in (first, second) for row in found.rows]
    assert names == ["z0", "z1", "z2", *(f"a{number:03d}" for number in range(120))]
    assert [row.begins_group for row in (*first.rows, *second.rows)] == [True, *[False] * 122]


def test_a_search_finds_names_authors_subjects_and_commits() -> None:
    known = replace(facts("Fraud-Score"), commit=CommitText("Lower the threshold", "risk-team", NOW))
    for q in ("fraud", "RISK", "lower threshold", "0123456", "v3", ""):
        assert listing([known], NOW, q=q).found == 1, q
    for q in ("iris", "fraud iris"):
        assert listing([known], NOW, q=q).found == 0, q


def test_a_hundred_rows_are_shown_and_the_cursor_leads_to_the_rest() -> None:
    many = [facts(f"m{number:03d}") for number in range(250)] + [facts("bad", failure=failure("no"))]
    first = listing(many, NOW)
    second = listing(many, NOW, after=first.after)
    third = listing(many, NOW, after=second.after)
    names = [row.name for found in (first, second, third) for row in found.rows]
    assert names == ["bad", *(f"m{number:03d}" for number in range(250))]
    assert [len(found.rows) for found in (first, second, third)] == [100, 100, 51]
    assert third.after == ""
    assert not second.rows[0].begins_group


def test_nothing_measured_is_a_dash_and_zero_is_zero() -> None:
    assert (one(facts("a")).rate, one(facts("a")).errors, one(facts("a")).p95) == ("\N{EN DASH}",) * 3
    idle = DayTraffic(rates=(0.0, 0.0), swaps=(), requests=0, errors=0, p95_ms=None)
    row = one(replace(facts("a"), day=idle))
    assert (row.rate, row.errors, row.p95) == ("0", "\N{EN DASH}", "\N{EN DASH}")
    busy = DayTraffic(rates=(10.0, 842.0), swaps=(0.5,), requests=10_000, errors=2, p95_ms=38.2)
    row = one(replace(facts("a"), day=busy))
    assert (row.rate, row.errors, row.p95) == ("842", "0.02 %", "38 ms")


def test_a_sparkline_says_what_it_shows_and_leaves_out_what_draws_nothing() -> None:
    day = DayTraffic(rates=(0, 0, 0, 0, 10, 5), swaps=(0.5,), requests=15, errors=0, p95_ms=1.0)
    drawn = sparkline(day)
    assert drawn.label == "Requests per minute over 24 hours: at most 10, now 5"
    assert drawn.line == "M0 22L67 22L90 3L112 12"
    assert drawn.swaps == (56,)
    assert sparkline(None).line == "M0 22L112 22"


def test_initials_are_of_the_first_two_words() -> None:
    assert [initials(name) for name in ("risk-team", "Ada Lovelace King", "bob", "")] == ["RT", "AL", "B", ""]
