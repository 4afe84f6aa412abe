"""The schema as migrations make it: of nothing, of the first edition's database, beside replicas and newer ones."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text

from core.events import Event, EventKind
from core.steering import Pin
from registry import transaction as tables
from registry.errors import SchemaTooNew
from registry.registry import Registry
from registry.schema import HEAD, MIGRATIONS
from registry.sqlite_file import VERSION_TABLE
from registry.tables.columns import metadata
from tests.postgres import Postgres

DATA = Path(__file__).parent.parent / "data" / "first_edition"


@pytest.fixture(params=["sqlite", "postgres"])
def first_edition(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that the first edition filled."""
    if request.param == "sqlite":
        shutil.copy(DATA / "registry.db", tmp_path)
        return f"sqlite:///{tmp_path / 'registry.db'}"
    postgres: Postgres = request.getfixturevalue("postgres")
    postgres.execute((DATA / "registry.sql").read_text())
    return postgres.url


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    opened = engine_of(url)
    yield opened
    opened.dispose()


def engine_of(url: str) -> Engine:
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


def use(url: str) -> None:
    registry = Registry(url)
    try:
        with registry.transaction() as transaction:
            transaction.pins.put(Pin(model="Iris", release="r"))
            transaction.events.append([Event(kind=EventKind.PINNED, message="new", model="Iris")])
    finally:
        registry.close()


def test_a_database_of_the_first_edition_is_taken_over_with_its_events(first_edition: str) -> None:
    use(first_edition)
    registry = Registry(first_edition)
    with registry.transaction() as transaction:
        found = transaction.events.newest(10)
        assert transaction.pins.all().keys() == {"Iris"}
    registry.close()
    assert [(event.kind, event.model, event.version) for event in found] == [
        ("pinned", "Iris", ""),
        ("source_lost", "", ""),
        ("request_failed", "Iris", "v1"),
        ("failed", "Iris", "v2"),
        ("live", "Iris", "v1"),
    ]
    assert found[2].message == "ValueError: no species 'Öland'"
    assert found[3].detail == "line 1\nline 2\n"
    assert found[4].at.isoformat() == "2026-06-21T12:00:00.250000+00:00"


def test_a_database_that_was_migrated_can_still_be_written_to_by_the_first_edition(first_edition: str) -> None:
    use(first_edition)
    engine = engine_of(first_edition)
    columns = 'at, kind, model, version, "commit", message, detail'
    with engine.begin() as connection:
        copied = f"INSERT INTO events ({columns}) SELECT {columns} FROM events WHERE kind = 'live'"
        connection.execute(text(copied))
    engine.dispose()
    registry = Registry(first_edition)
    with registry.transaction() as transaction:
        assert [event.kind for event in transaction.events.newest(10)].count(EventKind.LIVE) == 2
    registry.close()


@pytest.mark.parametrize("begun_from", ["nothing", "the first edition"])
def test_migrations_make_just_the_tables_that_are_declared(
    request: pytest.FixtureRequest, begun_from: str, url: str, engine: Engine
) -> None:
    if begun_from != "nothing" and engine.dialect.name == "sqlite":
        shutil.copy(DATA / "registry.db", str(engine.url.database))
    elif begun_from != "nothing":
        request.getfixturevalue("postgres").execute((DATA / "registry.sql").read_text())
    use(url)
    assert tables.Transaction, "declares them all"
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []


def test_the_schema_that_is_asked_for_is_the_last_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_replicas_that_start_at_once_migrate_once(postgres: Postgres) -> None:
    together, failed = threading.Barrier(4), list[Exception]()

    def start() -> None:
        together.wait(100)
        try:
            use(postgres.url)
        except Exception as error:
            failed.append(error)

    starts = [threading.Thread(target=start) for _ in range(4)]
    for one in starts:
        one.start()
    for one in starts:
        one.join(60)
    assert failed == []


def set_version(engine: Engine, version: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{version}'"))


def test_the_schema_of_a_newer_minor_version_is_used_and_left_alone(url: str, engine: Engine) -> None:
    use(url)
    set_version(engine, "1_999")
    use(url)
    with engine.connect() as connection:
        assert connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar() == "1_999"


def test_the_schema_of_a_newer_major_version_is_refused_and_left_alone(url: str, engine: Engine) -> None:
    use(url)
    set_version(engine, "2_1")
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE events"))
    with pytest.raises(SchemaTooNew, match=r"has the schema 2_1 of a newer Pawl, and this one knows up to 1_\d+: it"):
        use(url)
    assert not inspect(engine).has_table("events")


def test_a_file_of_a_newer_major_version_is_not_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    use(f"sqlite:///{path}")
    engine = engine_of(f"sqlite:///{path}")
    set_version(engine, "2_1")
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE events"))
    engine.dispose()
    registry = Registry(f"sqlite:///{path}", file=path)
    with pytest.raises(SchemaTooNew), registry.transaction():
        pass
    registry.close()
    assert [one.name for one in tmp_path.glob("*set-aside*")] == []


def test_the_import_of_sqlalchemy_stays_off_the_start() -> None:
    code = "import sys, server.assembly; sys.exit('sqlalchemy' in sys.modules or 'alembic' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_a_database_that_is_up_to_date_is_opened_without_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    use(url)
    code = f"""
import sys
from registry.registry import Registry
registry = Registry({url!r})
with registry.transaction() as transaction:
    assert transaction.pins.all()
registry.close()
sys.exit('alembic' in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
