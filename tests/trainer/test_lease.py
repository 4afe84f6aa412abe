from __future__ import annotations

import asyncio

from core.errors import PawlError
from trainer.lease import SECONDS, Lease


class Database:
    """One lease, as the database has it; `answer` is raised where it is an error."""

    def __init__(self) -> None:
        self.now = 0.0
        self.answer: int | PawlError = 1
        self.asked = 0
        self.given_back = 0

    async def take(self, seconds: float) -> int:
        self.asked += 1
        if isinstance(self.answer, PawlError):
            raise self.answer
        return self.answer

    async def give_back(self) -> None:
        self.given_back += 1

    def held(self, lease: Lease, now: float) -> bool:
        self.now = now
        return asyncio.run(lease.is_held())


def made() -> tuple[Database, Lease]:
    database = Database()
    return database, Lease(database.take, database.give_back, lambda: database.now)


def test_a_lease_is_renewed_long_before_it_ends_and_not_at_every_look() -> None:
    database, lease = made()
    assert all(database.held(lease, second / 10) for second in range(300))
    assert database.asked == 8


def test_while_the_database_is_away_it_is_held_no_longer_than_was_promised() -> None:
    database, lease = made()
    assert database.held(lease, 0)
    database.answer = PawlError("the database is away")
    assert database.held(lease, SECONDS - 1)
    assert not database.held(lease, SECONDS)


def test_who_does_not_have_it_asks_again_soon() -> None:
    database, lease = made()
    database.answer = 0
    assert not database.held(lease, 0)
    database.answer = 1
    assert not database.held(lease, 0.5)
    assert database.held(lease, 1.5)


def test_its_epoch_is_that_of_the_last_time_that_it_was_held() -> None:
    database, lease = made()
    assert lease.epoch == 0
    database.answer = 3
    assert database.held(lease, 0)
    database.answer = 0
    assert not database.held(lease, 20)
    assert lease.epoch == 3, "what was said then is written with it, and refused"
    database.answer = 5
    assert database.held(lease, 40)
    assert lease.epoch == 5


def test_a_lost_one_is_another_s_within_fifteen_seconds() -> None:
    """Its end, and a look a second of the other's, by the contract of many replicas."""
    assert SECONDS + 2 <= 15


def test_it_is_given_back_at_once_and_only_by_who_has_it() -> None:
    database, lease = made()
    asyncio.run(lease.give_back())
    assert database.given_back == 0
    assert database.held(lease, 0)
    asyncio.run(lease.give_back())
    assert database.given_back == 1
    asyncio.run(lease.give_back())
    assert database.given_back == 1


def test_what_can_not_be_given_back_ends_by_itself() -> None:
    async def away() -> None:
        raise PawlError("the database is away")

    database, _ = made()
    lease = Lease(database.take, away, lambda: 0.0)
    assert asyncio.run(lease.is_held())
    asyncio.run(lease.give_back())
