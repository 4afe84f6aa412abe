from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec
import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Connection

from core.events import Actor
from core.steering import Cause, Deployment
from registry.database import Database
from registry.registry import Registry
from registry.tables.deployments import Deployments
from tests.postgres import Postgres
from tests.waiting import wait_for

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
ADA = Actor(kind="key", name="Ada")


def at(minute: int, version: str, cause: Cause = Cause.PUSH) -> Deployment:
    return Deployment(
        model="Iris",
        release=f"release of {version}",
        version=version,
        commit="c" * 40,
        cause=cause,
        began_at=NOON + timedelta(minutes=minute),
        actor=Actor(kind="git", name="Ada"),
    )


def by_ada(deployment: Deployment) -> Deployment:
    return msgspec.structs.replace(deployment, actor=ADA)


def test_another_run_that_left_the_same_is_an_entry_of_its_own(registry: Registry) -> None:
    first = msgspec.structs.replace(at(0, "v1", Cause.TRAIN), run="1" * 12)
    second = msgspec.structs.replace(first, run="2" * 12, began_at=NOON + timedelta(minutes=1))
    with registry.transaction() as transaction:
        assert transaction.deployments.begin(first)
        assert not transaction.deployments.begin(first)
        assert transaction.deployments.begin(second)
        assert transaction.deployments.going_on("Iris") == second


def test_what_goes_live_ends_what_was(registry: Registry) -> None:
    first, second = at(0, "v1"), at(5, "v2", Cause.ROLLBACK)
    with registry.transaction() as transaction:
        assert transaction.deployments.going_on("Iris") is None
        assert transaction.deployments.begin(first)
        assert transaction.deployments.begin(second)
        assert transaction.deployments.going_on("Iris") == second
        listed, more = transaction.deployments.listed("Iris")
    assert listed == [second, msgspec.structs.replace(first, ended_at=second.began_at)]
    assert more is None


def test_replicas_and_restarts_that_say_the_same_make_one_entry(registry: Registry) -> None:
    with registry.transaction() as transaction:
        assert transaction.deployments.begin(at(0, "v1"))
    with registry.transaction() as transaction:
        assert not transaction.deployments.begin(at(7, "v1", Cause.RESTART))
        assert transaction.deployments.listed("Iris")[0] == [at(0, "v1")]


def test_a_replica_that_is_late_says_who_did_it_all_the_same(registry: Registry) -> None:
    with registry.transaction() as transaction:
        for minute, version in ((0, "v1"), (5, "v2"), (9, "v3")):
            transaction.deployments.begin(at(minute, version))
        assert not transaction.deployments.begin(by_ada(at(6, "v2", Cause.UNPIN)), NOON)
        told = transaction.deployments.listed("Iris")[0][1]
    assert (told.version, told.cause, told.actor) == ("v2", Cause.UNPIN, ADA)


def test_what_was_over_before_a_replica_s_own_went_live_is_not_put_down_to_who_asked_for_that(
    registry: Registry,
) -> None:
    with registry.transaction() as transaction:
        for minute, version in ((0, "v1"), (5, "v2"), (9, "v3")):
            transaction.deployments.begin(at(minute, version))
        assert not transaction.deployments.begin(by_ada(at(12, "v2", Cause.PIN)), NOON)
        told = transaction.deployments.listed("Iris")[0]
        assert [one.cause for one in told] == [Cause.PUSH] * 3
        assert transaction.deployments.begin(by_ada(at(13, "v2", Cause.PIN)), NOON + timedelta(minutes=9))


def test_replicas_that_tell_it_in_the_same_moment_make_one_entry_that_says_who_did_it(postgres: Postgres) -> None:
    first, second = Registry(postgres.url), Registry(postgres.url)
    try:
        with first.transaction() as transaction:
            transaction.deployments.begin(at(0, "v1"))
        with ThreadPoolExecutor(1) as pool:
            with first.transaction() as transaction:
                transaction.deployments.begin(at(5, "v2"))
                other = pool.submit(_begin, second, by_ada(at(5, "v2", Cause.UNPIN)))
                wait_for(lambda: _waiting(postgres) == 1, "the other to wait for the entry")
            assert not other.result()
        with first.transaction() as transaction:
            listed, _ = transaction.deployments.listed("Iris")
        assert [(one.version, one.cause) for one in listed] == [("v2", Cause.UNPIN), ("v1", Cause.PUSH)]
        assert listed[0].actor == ADA
    finally:
        first.close()
        second.close()


def test_an_entry_that_another_replica_begins_meanwhile_is_not_ended(postgres: Postgres) -> None:
    database, elsewhere = Database(postgres.url), Registry(postgres.url)
    try:
        with elsewhere.transaction() as transaction:
            transaction.deployments.begin(at(0, "v1"))

        def overtake(connection: Connection, cursor: object, statement: str, *rest: object) -> None:
            if statement.startswith("UPDATE"):
                _begin(elsewhere, at(5, "v2"))

        with database.begin() as connection:
            event.listen(connection, "before_cursor_execute", overtake)
            assert not Deployments(connection).begin(at(6, "v2"))
        with elsewhere.transaction() as transaction:
            listed, _ = transaction.deployments.listed("Iris")
        assert [(one.version, one.began_at.minute) for one in listed] == [("v2", 5), ("v1", 0)]
    finally:
        database.close()
        elsewhere.close()


def _waiting(postgres: Postgres) -> int:
    with psycopg.connect(postgres.url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()
    return 0 if found is None else int(found[0])


def _begin(registry: Registry, deployment: Deployment) -> bool:
    with registry.transaction() as transaction:
        return transaction.deployments.begin(deployment, NOON)


def test_what_was_live_at_a_moment_can_be_asked_for(registry: Registry) -> None:
    with registry.transaction() as transaction:
        for minute, version in ((0, "v1"), (5, "v2"), (9, "v3")):
            transaction.deployments.begin(at(minute, version))
        transaction.deployments.end("Iris", NOON + timedelta(minutes=12))

        def live(minute: int) -> list[str]:
            found, _ = transaction.deployments.listed("Iris", at=NOON + timedelta(minutes=minute))
            return [deployment.version for deployment in found]

        assert [live(minute) for minute in (-1, 0, 4, 5, 11, 12)] == [[], ["v1"], ["v1"], ["v2"], ["v3"], []]


def test_pages_follow_each_other(registry: Registry) -> None:
    with registry.transaction() as transaction:
        for minute in range(5):
            transaction.deployments.begin(at(minute, f"v{minute}"))
        pages, cursor = list[list[str]](), None
        while not pages or cursor is not None:
            found, cursor = transaction.deployments.listed("Iris", limit=2, cursor=cursor)
            pages.append([deployment.version for deployment in found])
    assert pages == [["v4", "v3"], ["v2", "v1"], ["v0"]]


def test_a_replica_that_is_behind_takes_no_step_back(registry: Registry) -> None:
    """It goes where others have been since what was live of it before went live."""
    with registry.transaction() as transaction:
        for minute, version in ((0, "v1"), (5, "v2"), (9, "v3")):
            transaction.deployments.begin(at(minute, version))
        assert not transaction.deployments.begin(at(10, "v2"), since=NOON)
        assert transaction.deployments.listed("Iris")[0][0].version == "v3"
        assert transaction.deployments.begin(at(11, "v2", Cause.ROLLBACK), since=NOON + timedelta(minutes=9))


def test_who_did_it_is_told_also_by_a_replica_that_comes_second(registry: Registry) -> None:
    ada = Actor(kind="key", name="ada")
    known = msgspec.structs.replace(at(1, "v1", Cause.UNPIN), actor=ada, reason="it is over")
    with registry.transaction() as transaction:
        transaction.deployments.begin(at(0, "v1"))
        assert not transaction.deployments.begin(known)
        [found] = transaction.deployments.listed("Iris")[0]
        assert (found.cause, found.actor, found.reason) == (Cause.UNPIN, ada, "it is over")
        assert found.began_at == NOON
        assert not transaction.deployments.begin(at(2, "v1"))
        assert transaction.deployments.listed("Iris")[0] == [found]


def test_since_when_each_model_is_live_is_told_of_all_at_once(registry: Registry) -> None:
    other = msgspec.structs.replace(at(3, "v7"), model="Other")
    gone = msgspec.structs.replace(at(4, "v1"), model="Gone")
    with registry.transaction() as transaction:
        for deployment in (at(0, "v1"), other, gone, at(5, "v2"), at(9, "v2")):
            transaction.deployments.begin(deployment)
        transaction.deployments.end("Gone", NOON + timedelta(minutes=8))
        assert transaction.deployments.live_since() == {
            ("Iris", "release of v2"): NOON + timedelta(minutes=5),
            ("Other", "release of v7"): NOON + timedelta(minutes=3),
        }
