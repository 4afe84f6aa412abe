"""A database that goes away, hangs, refuses or is of another edition: models are served, and it heals by itself."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.events import EventKind
from registry.errors import RegistryUnavailable
from registry.registry import Registry
from tests.postgres import Postgres, needed_postgres
from tests.processes import descendants
from tests.repos import Repo
from tests.serving import Server, echo, serving

AWAY = "the registry's database does not do what it should"
AGAIN = "; trying again every"
"""What is said of it where there is something to write."""
BACK = "events are written down again"
FIRST_EDITION = Path(__file__).parents[2] / "data" / "first_edition"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Postgres]:
    with needed_postgres() as postgres:
        yield postgres


@pytest.fixture
def postgres(cluster: Postgres) -> Postgres:
    """An empty one."""
    cluster.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return cluster


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "models")
    repo.commit_file("Echo/etls.py", echo("v1"))
    return repo


def push(server: Server, repo: Repo, version: str) -> None:
    """A push that must come live at once."""
    repo.commit_file("Echo/etls.py", echo(version))
    server.sync()
    assert server.score("Echo")["by"] == version


def wait_written(server: Server, url: str, *versions: str) -> None:
    """Until the database says that just these came live."""

    def written() -> set[str]:
        registry = Registry(url)
        try:
            with registry.transaction() as transaction:
                return {event.version for event in transaction.events.newest(100) if event.kind == EventKind.LIVE}
        except RegistryUnavailable:
            return set()
        finally:
            registry.close()

    server.wait(lambda: written() == set(versions), f"{versions} in the database")


def test_one_that_is_lost_costs_no_request_and_no_event_and_is_told_of_where_it_is_missed(
    tmp_path: Path, repo: Repo, postgres: Postgres
) -> None:
    with serving(tmp_path / "data", repo.path, DATABASE_URL=postgres.url) as server:
        wait_written(server, postgres.url, "v1")
        postgres.stop()
        postgres.start()
        push(server, repo, "v2")
        wait_written(server, postgres.url, "v1", "v2")
        assert AGAIN not in server.log, "nothing happened while it was away"
        postgres.stop()
        push(server, repo, "v3")
        server.wait(lambda: AWAY in server.log, "the error")
        push(server, repo, "v4")
        assert [event["version"] for event in server.events("live")] == ["v4", "v3", "v2", "v1"]
        postgres.start()
        server.wait(lambda: BACK in server.log, "that it is back")
        wait_written(server, postgres.url, "v1", "v2", "v3", "v4")
        told = [line.partition(AWAY)[2] for line in server.lines if AWAY in line and AGAIN in line]
        assert (len(set(told)), server.log.count(BACK)) == (len(told), 1)  # of each trouble once: it may be starting up


def test_a_password_that_is_wrong_or_changed_later_is_told_without_it_and_heals_once_it_is_right(
    tmp_path: Path, repo: Repo, postgres: Postgres
) -> None:
    postgres.add_user("keeper", "right")
    with serving(tmp_path / "data", repo.path, DATABASE_URL=postgres.url_for("keeper:hunter2")) as server:
        server.wait(lambda: 'password authentication failed for user "keeper"' in server.log, "the error")
        push(server, repo, "v2")
        postgres.execute("ALTER ROLE keeper PASSWORD 'hunter2'")
        server.wait(lambda: BACK in server.log, "that it is back")
        wait_written(server, postgres.url, "v1", "v2")
        told = server.log.count(AWAY)
        postgres.execute("ALTER ROLE keeper PASSWORD 'other'")
        postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'keeper'")
        push(server, repo, "v3")
        server.wait(lambda: server.log.count(AWAY) > told, "another error")
        postgres.execute("ALTER ROLE keeper PASSWORD 'hunter2'")
        server.wait(lambda: server.log.count(BACK) == 2, "that it is back again")
        wait_written(server, postgres.url, "v1", "v2", "v3")
        assert "hunter2" not in server.log
        assert b"hunter2" not in server.admin("GET", "/-/api/events").body


def test_one_that_hangs_holds_up_no_push_and_no_stop_and_gets_what_happened_once_it_goes_on(
    tmp_path: Path, repo: Repo, postgres: Postgres
) -> None:
    with serving(tmp_path / "data", repo.path, DATABASE_URL=postgres.url) as server:
        wait_written(server, postgres.url, "v1")
        with hanging(postgres):
            push(server, repo, "v2")
        push(server, repo, "v3")
        wait_written(server, postgres.url, "v1", "v2", "v3")
        with hanging(postgres):
            push(server, repo, "v4")
            push(server, repo, "v5")
            assert server.stop() == 0


@contextlib.contextmanager
def hanging(postgres: Postgres) -> Iterator[None]:
    pids = descendants(postgres.pid())
    send(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        send(pids, signal.SIGCONT)


def test_a_first_editions_registry_is_taken_over_and_its_events_are_told(tmp_path: Path, repo: Repo) -> None:
    (tmp_path / "data").mkdir()
    shutil.copy(FIRST_EDITION / "registry.db", tmp_path / "data")
    with serving(tmp_path / "data", repo.path) as server:
        told = ["v1 is live after 0.42 s"]
        server.wait(lambda: told == [event["message"] for event in server.events("live")][1:], "the earlier event")
        assert "set aside" not in server.log


def test_with_the_schema_of_a_newer_pawl_models_are_served_and_the_database_is_left_alone(
    tmp_path: Path, repo: Repo
) -> None:
    registry = Registry(f"sqlite:///{tmp_path / 'data' / 'registry.db'}")
    (tmp_path / "data").mkdir()
    with registry.transaction():
        pass
    registry.close()
    with closing(sqlite3.connect(tmp_path / "data" / "registry.db")) as connection:
        connection.execute("UPDATE pawl_alembic_version SET version_num = '2_1'")
        connection.commit()
    before = (tmp_path / "data" / "registry.db").read_bytes()
    with serving(tmp_path / "data", repo.path) as server:
        server.wait(lambda: "has the schema 2_1 of a newer Pawl" in server.log, "the complaint")
        push(server, repo, "v2")
        assert [event["version"] for event in server.events("live")] == ["v2", "v1"]
    assert (tmp_path / "data" / "registry.db").read_bytes() == before


def test_a_file_that_another_program_locks_holds_up_no_push_and_gets_what_happened_meanwhile(
    tmp_path: Path, repo: Repo
) -> None:
    path = tmp_path / "data" / "registry.db"
    with serving(path.parent, repo.path) as server:
        wait_written(server, f"sqlite:///{path}", "v1")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            push(server, repo, "v2")
            server.wait(lambda: f"database is locked{AGAIN}" in server.log, "the complaint")
            push(server, repo, "v3")
            other.execute("ROLLBACK")
        server.wait(lambda: BACK in server.log, "that it is free")
        wait_written(server, f"sqlite:///{path}", "v1", "v2", "v3")


def send(pids: set[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # some of PostgreSQL's come and go
            os.kill(pid, number)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "models/no%00model/traffic", "model_not_found"),
        ("GET", "models/Echo/versions/run-%00/traffic", "version_not_found"),
        ("GET", "models/no%00model/versions/v1/traffic", "model_not_found"),
        ("DELETE", "keys/%00", "key_not_found"),
    ],
)
def test_a_name_that_no_database_takes_is_one_of_nothing(at_cluster: Server, method: str, path: str, code: str) -> None:
    at_cluster.admin(method, f"/-/api/{path}").error(404, code)


@pytest.fixture(scope="module")
def at_cluster(cluster: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    repo = Repo(tmp_path_factory.mktemp("names") / "models")
    repo.commit_file("Echo/etls.py", echo("v1"))
    with serving(repo.path.parent / "data", repo.path, DATABASE_URL=cluster.url) as server:
        server.wait(lambda: server.admin("GET", "/-/api/system").json["database"]["reachable"], "the database")
        yield server
