"""Brings a database to the registry's schema, from whichever edition it is, once among replicas."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, MetaData, String, Table, inspect, select, text
from sqlalchemy.engine import Connection

from registry.errors import SchemaTooNew
from registry.sqlite_file import VERSION_TABLE

HEAD = "1_11"
"""`major_minor`. Within a major version steps only add, so that an older Pawl keeps working beside a newer one."""
MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x7061776C
"""The number of the advisory lock: "pawl" in ASCII."""

_versions = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32)))


def bring_up_to_date(connection: Connection) -> None:
    """In the connection's transaction. On SQLite, that has the only write lock already. Raises SchemaTooNew."""
    if _is_usable(connection):
        return
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT set_config('statement_timeout', '0', true)"))  # building an index takes long
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    if not _is_usable(connection):  # another replica may have done it meanwhile
        _upgrade(connection)


def _is_usable(connection: Connection) -> bool:
    """Whether its schema is ours, or a newer one of our major version."""
    found = _version(connection)
    if found is None:
        return False
    if _numbers(found)[0] > _numbers(HEAD)[0]:
        raise SchemaTooNew(
            f"the registry's database has the schema {found} of a newer Pawl, and this one knows up to {HEAD}: it "
            "serves without the registry; run the newer Pawl, or let DATABASE_URL name another database"
        )
    return _numbers(found) >= _numbers(HEAD)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(select(_versions.c.version_num)).scalar()


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition("_")
    return int(major), int(minor)


def _upgrade(connection: Connection) -> None:
    # Alembic takes longer to import than a start may last; a database that is up to date needs none of it
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection, "version_table": VERSION_TABLE})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, HEAD)
