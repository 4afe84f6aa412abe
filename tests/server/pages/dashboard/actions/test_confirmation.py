from __future__ import annotations

from dataclasses import replace

import pytest

from server.pages.dashboard.actions.confirmation import ACTS, Confirmation, confirmation
from server.pages.dashboard.versions.version_rows import VersionRow


def row(number: int, state: str = "retired", *, live: bool = False) -> VersionRow:
    return VersionRow(
        version=f"v{number}",
        commit=f"{number}" * 7,
        full_commit=f"{number}" * 40,
        run="",
        chips=(),
        subject=f"Change {number}",
        author="risk-team",
        pushed=None,
        examples="",
        fails=False,
        scores=(),
        size="",
        state=state,
        is_live=live,
        actions=(),
        why="",
    )


VERSIONS = [row(4), row(3, "ready", live=True), row(2, "rejected"), row(1)]


def ask(act: str, target: VersionRow | None, pinned: str = "", versions: list[VersionRow] = VERSIONS) -> Confirmation:
    return confirmation(ACTS[act], "fraud", versions, target, pinned)


def test_a_rollback_names_from_to_the_commits_between_and_what_the_next_push_does() -> None:
    asked = ask("rollback", VERSIONS[3])
    assert asked.question == "Roll back fraud to v1?"
    assert asked.before == VERSIONS[1]
    assert asked.becomes == "It becomes rejected."
    assert (asked.heading, [one.version for one in asked.between]) == ("2 commits stop answering", ["v3", "v2"])
    assert asked.next_strong == "The next push will go live."
    assert asked.command == 'pawl rollback fraud --to v1 --expect v3 --reason "…"'


def test_a_pin_to_something_newer_names_what_begins_to_answer() -> None:
    asked = ask("pin", VERSIONS[0])
    assert (asked.heading, [one.version for one in asked.between]) == ("1 commit begins to answer", ["v4"])
    assert asked.next_strong == "The next push will not go live."
    assert ask("pin", VERSIONS[1]).between == ()


def test_what_is_not_among_the_listed_versions_has_no_commits_between() -> None:
    assert ask("rollback", row(9)).between == ()
    assert ask("rollback", VERSIONS[3], versions=[replace(one, is_live=False) for one in VERSIONS]).between == ()


def test_accepting_while_pinned_changes_nothing_that_is_live() -> None:
    assert ask("accept", VERSIONS[2], pinned="v3").next_text == "v3 stays, for it is pinned."


def test_an_unpinning_says_what_comes_after_it() -> None:
    newest = VERSIONS[0]
    for versions, says in (
        (VERSIONS, "So will v4, as soon as it is proven."),
        ([replace(newest, is_live=True)], "v4 is live, and stays so."),
        ([replace(newest, state="rejected")], "v4 will not: it was rejected."),
    ):
        asked = ask("unpin", None, pinned="v3", versions=versions)
        assert (asked.next_strong, asked.next_text) == ("The next push will go live.", says)
        assert not asked.act.is_dangerous
    ends = confirmation(ACTS["unpin"], "fraud", VERSIONS, None, "v3", folder_gone=True)
    assert ends.next_strong == "Its folder has gone: only the pin keeps it."
    assert ends.next_text == "Nothing of fraud is served any more, as soon as it is unpinned."
    assert ends.act.is_dangerous


@pytest.mark.parametrize(
    ("act", "command"),
    [
        ("unpin", 'pawl unpin fraud --expect v3 --reason "…"'),
        ("accept", 'pawl accept fraud v2 --reason "…"'),
        ("load", 'pawl load fraud v2 --reason "…"'),
        ("unload", 'pawl unload fraud v2 --reason "…"'),
    ],
)
def test_each_act_shows_the_command_that_does_the_same(act: str, command: str) -> None:
    assert ask(act, VERSIONS[2] if ACTS[act].names_version else None).command == command


def test_a_pin_of_what_is_live_says_that_it_stays() -> None:
    assert ask("pin", VERSIONS[1]).stays_live
    assert not ask("pin", VERSIONS[3]).stays_live
    assert not ask("load", VERSIONS[1]).stays_live
