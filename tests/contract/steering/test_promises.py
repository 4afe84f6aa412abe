"""What switching promises under load and under kills; `scripts/bench switches` and `kills` do more of it."""

from __future__ import annotations

from pathlib import Path

from bench.steering.database_kills import database_killed
from bench.steering.kills import killed
from bench.steering.switches import VERSIONS, switched, write_versions
from tests.postgres import Postgres
from tests.repos import Repo
from tests.serving import serving


def test_no_answer_is_lost_and_none_comes_from_the_version_before_an_acknowledged_switch(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    write_versions(repo)
    with serving(tmp_path / "data", repo.path, GATEWAYS="2") as server:
        seen = switched(server, "Echo", VERSIONS, count=6, clients=2)
    assert len(seen.seconds) == 6
    assert seen.answers > 0
    assert (seen.lost, seen.stale) == ([], [])


def test_a_database_that_is_killed_in_the_middle_of_actions_loses_nothing_and_no_answer(
    tmp_path: Path, postgres: Postgres
) -> None:
    found = database_killed(tmp_path, postgres, count=4)
    assert found.kills == 4
    assert found.answers > 0
    assert (found.wrong, found.lost) == ([], [])


def test_a_daemon_that_is_killed_in_the_middle_of_actions_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    found = killed(tmp_path, count=3)
    assert found.kills == 3
    assert found.wrong == []
