"""The history of traffic in both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.traffic.bucket import Bucket, Series, Stage
from core.traffic.histogram import Histogram
from core.traffic.packing import unpack
from core.traffic.resolution import COARSEST, FINEST, RESOLUTIONS, Resolution
from core.traffic.selection import Selection
from registry.registry import Registry

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
NOON_S = int(NOON.timestamp())
LIVE, NAMED = Series("Iris", "v2", Stage.API, "c" * 40), Series("Iris", "v1", Stage.VERSION)
OTHER = Series("Churn", "v2", Stage.API, "d" * 40, "0123456789ab")


def bucket(count: int) -> Bucket:
    return Bucket({200: count}, Histogram({3: count}, 7 * count))


def requests(
    registry: Registry, selection: Selection, resolution: Resolution = FINEST, begins: int = 0, ends: int = 2**31
) -> dict[int, int]:
    """By where their bucket begins, in minutes from noon."""
    found: dict[int, int] = {}
    with registry.transaction() as transaction:
        for at_s, packed in transaction.traffic.read(selection, resolution, begins, ends):
            minute = (at_s - NOON_S) // 60
            found[minute] = found.get(minute, 0) + unpack(packed).requests
    return found


def test_a_minute_is_in_a_bucket_of_every_length(registry: Registry) -> None:
    with registry.transaction() as transaction:
        for minute in (0, 14, 15, 60):
            transaction.traffic.add(f"key {minute}", NOON_S + 60 * minute, {LIVE: bucket(1)})
    iris = Selection("Iris")
    assert requests(registry, iris) == {0: 1, 14: 1, 15: 1, 60: 1}
    assert requests(registry, iris, RESOLUTIONS[1]) == {0: 2, 15: 1, 60: 1}
    assert requests(registry, iris, RESOLUTIONS[2]) == {0: 3, 60: 1}
    assert requests(registry, iris, COARSEST) == {-12 * 60: 4}


def test_what_was_written_is_not_written_again_and_what_comes_later_is_added(registry: Registry) -> None:
    with registry.transaction() as transaction:
        assert transaction.traffic.add("one", NOON_S, {LIVE: bucket(2)})
        assert not transaction.traffic.add("one", NOON_S, {LIVE: bucket(2)})
        assert transaction.traffic.add("two", NOON_S, {LIVE: bucket(3), OTHER: bucket(4)})
        assert transaction.traffic.written(["one", "two", "three"]) == {"one", "two"}
        [(_, packed)] = transaction.traffic.read(Selection("Iris"), FINEST, NOON_S, NOON_S + 60)
    assert unpack(packed) == bucket(5)


def test_buckets_that_were_put_together_are_in_no_finer_ones(registry: Registry) -> None:
    with registry.transaction() as transaction:
        transaction.traffic.add("one", NOON_S, {LIVE: bucket(2)}, RESOLUTIONS[1])
    assert requests(registry, Selection("Iris")) == {}
    assert requests(registry, Selection("Iris"), RESOLUTIONS[1]) == {0: 2}


def test_a_selection_is_by_model_stage_version_and_run_and_ends_before_its_end(registry: Registry) -> None:
    with registry.transaction() as transaction:
        transaction.traffic.add("1", NOON_S, {LIVE: bucket(1), NAMED: bucket(10), OTHER: bucket(100)})
        transaction.traffic.add("2", NOON_S + 60, {LIVE: bucket(1000)})
    assert requests(registry, Selection("Iris"), ends=NOON_S + 60) == {0: 11}
    assert requests(registry, Selection("Iris"), begins=NOON_S + 60) == {1: 1000}
    assert requests(registry, Selection("Iris", {Stage.VERSION})) == {0: 10}
    assert requests(registry, Selection("Iris", version="v2")) == {0: 1, 1: 1000}
    assert requests(registry, Selection("Churn", run="0123456789ab")) == {0: 100}
    assert requests(registry, Selection("Churn", run="another")) == {}
    with registry.transaction() as transaction:
        assert transaction.traffic.knows(Selection("Iris", version="v1"))
        assert not transaction.traffic.knows(Selection("Iris", version="v3"))


def test_hundreds_of_series_are_added_at_once(registry: Registry) -> None:
    many = {Series(f"M{number}", "v1"): bucket(number + 1) for number in range(250)}
    with registry.transaction() as transaction:
        transaction.traffic.add("one", NOON_S, many)
        transaction.traffic.add("two", NOON_S, many)
    assert requests(registry, Selection("M249")) == {0: 500}


def test_each_length_is_forgotten_at_its_time_and_series_with_their_last_bucket(registry: Registry) -> None:
    with registry.transaction() as transaction:
        transaction.traffic.add("one", NOON_S, {LIVE: bucket(1)})

    def left(after: timedelta) -> list[int]:
        with registry.transaction() as transaction:
            transaction.traffic.thin(NOON + after)
        return [sum(requests(registry, Selection("Iris"), each).values()) for each in RESOLUTIONS]

    minute = timedelta(minutes=1)
    assert left(timedelta(hours=24)) == [1, 1, 1, 1]
    assert left(timedelta(hours=24) + minute) == [0, 1, 1, 1]
    assert left(timedelta(days=14) + minute) == [0, 0, 1, 1]
    assert left(timedelta(days=90) + minute) == [0, 0, 0, 1]
    assert left(timedelta(days=399)) == [0, 0, 0, 1]
    assert left(timedelta(days=400)) == [0, 0, 0, 0]
    with registry.transaction() as transaction:
        assert not transaction.traffic.knows(Selection("Iris"))
        assert not transaction.traffic.written(["one"])
