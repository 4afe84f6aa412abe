from __future__ import annotations

from collections import Counter

from core.traffic.bucket import Bucket, Series, Stage
from core.traffic.histogram import Histogram
from core.traffic.resolution import COARSEST, FINEST, RESOLUTIONS
from server.traffic.history.minutes import Minutes

NOON_S = 1_782_043_200
IRIS, CHURN, NAMED = Series("Iris", "v1"), Series("Churn", "v4"), Series("Iris", "v1", Stage.VERSION)


def bucket(count: int) -> Bucket:
    return Bucket({200: count}, Histogram({5: count}, 9 * count))


def requests(minutes: Minutes) -> Counter[Series]:
    found: Counter[Series] = Counter()
    for batch in minutes.unwritten():
        found.update({series: bucket.requests for series, bucket in batch.buckets.items()})
    return found


def test_a_minute_is_closed_by_the_first_moment_of_the_next() -> None:
    minutes = Minutes()
    minutes.add(IRIS, bucket(1), NOON_S)
    minutes.add(IRIS, bucket(2), NOON_S + 59.9)
    minutes.close(NOON_S + 59.99)
    assert minutes.next() is None
    minutes.add(IRIS, bucket(4), NOON_S + 60)
    batch = minutes.next()
    assert batch is not None
    assert (batch.at_s, batch.resolution, batch.buckets[IRIS]) == (NOON_S, FINEST, bucket(3))
    minutes.done()
    assert minutes.next() is None
    minutes.close(NOON_S + 61, early=True)
    batch = minutes.next()
    assert batch is not None
    assert (batch.at_s, batch.buckets[IRIS]) == (NOON_S + 60, bucket(4))


def test_there_is_a_sum_of_all_models_for_each_stage() -> None:
    minutes = Minutes()
    for series, count in ((IRIS, 1), (CHURN, 10), (NAMED, 100)):
        minutes.add(series, bucket(count), NOON_S)
    everything = {series: count for series, count in requests(minutes).items() if not series.model}
    assert everything == {Series("", "", Stage.API): 11, Series("", "", Stage.VERSION): 100}


def test_what_waits_is_bounded_by_putting_it_together_and_nothing_of_it_is_lost() -> None:
    minutes = Minutes(most=10)
    for minute in range(3000):
        minutes.add(IRIS, bucket(1), NOON_S + 60 * minute)
    batches = list(minutes.unwritten())
    assert len(batches) < 10
    assert requests(minutes)[IRIS] == 3000
    assert {batch.resolution for batch in batches} > {COARSEST}
    assert all(batch.at_s % batch.resolution.step_s == 0 for batch in batches)


def test_what_may_have_been_written_keeps_its_key_and_is_not_put_together_with_others() -> None:
    minutes = Minutes(most=4)
    for minute in range(2):
        minutes.add(IRIS, bucket(1), NOON_S + 60 * minute)
    tried = minutes.next()
    assert tried is not None
    for minute in range(2, 60):
        minutes.add(IRIS, bucket(1), NOON_S + 60 * minute)
    assert minutes.next() is tried
    assert requests(minutes)[IRIS] == 60
    assert RESOLUTIONS[1] in {batch.resolution for batch in minutes.unwritten()}
