"""A database that several daemons may share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres import Postgres, find_programs, running_postgres


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    programs = find_programs()
    if programs is None:
        pytest.skip("NO PostgreSQL HERE: on Debian and Ubuntu, apt-get install postgresql")
    with running_postgres(programs) as postgres:
        yield postgres
