"""SQLite or PostgreSQL through SQLAlchemy, with the registry's schema; its errors become ours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from core.redaction import redact, secrets_in
from registry.errors import RegistryUnavailable
from registry.schema import bring_up_to_date

_LOCKED_S = 3
"""How long another one's lock is waited for."""
_STATEMENT_S = 10
_POSTGRES = {
    "connect_timeout": 3,
    "tcp_user_timeout": 10_000,  # milliseconds, after which a host that vanished counts as gone
    "keepalives_idle": 5,
}
"""What libpq is told where the URL doesn't say."""
_MISSPELT = (
    "DATABASE_URL can't be read; what is special in a user's name or a password is to be percent-encoded, "
    "such as %40 for @"
)


class Database:
    """An open database. Methods block; they raise RegistryUnavailable, without a password in it."""

    def __init__(self, url: str) -> None:
        """`url`: a SQLAlchemy URL; `postgres://` and `postgresql://` ones work too. Raises SchemaTooNew."""
        self._secrets = secrets_in(url)
        try:
            self._engine = _engine(make_url(_with_driver(url)))
        except (ArgumentError, ValueError) as error:  # which may quote a part of the password
            raise RegistryUnavailable(_MISSPELT) from error
        try:
            with self.begin() as connection:
                bring_up_to_date(connection)
        except BaseException:
            self.close()
            raise
        self._file = self._find_file()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction: committed at the end of the block, and rolled back if that raises."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except (DBAPIError, NoConnection) as error:
            raise self._unavailable(error) from error

    def is_replaced(self) -> bool:
        """Whether the file has gone or is another one: what is written to it then would be lost."""
        return self._find_file() != self._file

    def close(self) -> None:
        self._engine.dispose()

    def _find_file(self) -> tuple[int, int] | None:
        if self._engine.dialect.name != "sqlite" or not self._engine.url.database:
            return None
        try:
            found = os.stat(self._engine.url.database)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _unavailable(self, error: Exception) -> RegistryUnavailable:
        cause = " ".join(str(getattr(error, "orig", None) or error).split())
        return RegistryUnavailable(
            f"the registry's database does not do what it should: {redact(cause, self._secrets)}{self._remedy(cause)}"
        )

    def _remedy(self, cause: str) -> str:
        url = self._engine.url
        is_full = url.get_backend_name() == "sqlite" and "disk is full" in cause
        return f"; make room on the disk that holds {url.database}" if is_full else ""


def postgres_parameters(url: str) -> dict[str, Any] | None:
    """What psycopg connects by to the same database; None where it is another kind."""
    try:
        parsed = make_url(_with_driver(url))
        if parsed.get_backend_name() != "postgresql":
            return None
        _, told = parsed.get_dialect()().create_connect_args(parsed)
    except (ArgumentError, ValueError):
        return None
    return {**_POSTGRES, **told}


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, pool_size=1, connect_args={"timeout": _LOCKED_S})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    told = {name: value for name, value in _POSTGRES.items() if name not in url.query}
    is_postgres = url.get_backend_name() == "postgresql"
    engine = create_engine(url, pool_pre_ping=True, pool_timeout=_LOCKED_S, connect_args=told if is_postgres else {})
    if engine.driver == "psycopg":
        event.listen(engine, "connect", _drop_what_is_heard)
    event.listen(engine, "begin", _begin_postgres)
    return engine


def _set_up_sqlite(connection: Any, record: object) -> None:
    connection.isolation_level = None  # transactions are begun by us, so that they hold the write lock from the start
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # what was acknowledged outlasts a power cut


def _drop_what_is_heard(connection: Any, record: object) -> None:
    """A pooler may hand us a session in which somebody has listened; psycopg keeps what nobody handles, for ever."""
    connection.add_notify_handler(lambda notice: None)


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_postgres(connection: Connection) -> None:
    """For the transaction alone: PgBouncer, which hands sessions around, takes no such options at the start of one."""
    connection.exec_driver_sql(
        f"SELECT set_config('lock_timeout', '{_LOCKED_S}s', true), "
        f"set_config('statement_timeout', '{_STATEMENT_S}s', true)"
    )


def _with_driver(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if separator and scheme in ("postgres", "postgresql") else url
