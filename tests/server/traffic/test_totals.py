from __future__ import annotations

from core.traffic.bucket import Bucket, Series, Stage
from core.traffic.histogram import Histogram
from server.traffic.totals import FORGET_AFTER_S, MOST_VERSIONS, Totals


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def by_name(totals: Totals) -> dict[str, int]:
    return {f"{sums.model}/{sums.version}": sums.requests.total() for sums in totals}


def test_with_more_versions_in_use_than_have_room_no_sum_slips_back_and_none_is_lost() -> None:
    totals, seen, count = Totals(Clock()), dict[str, int](), 0
    for _ in range(3):
        for number in range(MOST_VERSIONS + 50):
            totals.add(Series("M", f"v{number}"), Bucket({200: 1}))
            count += 1
        now = by_name(totals)
        assert all(now[name] >= before for name, before in seen.items())
        assert sum(now.values()) == count
        seen = now
    assert len(seen) == MOST_VERSIONS + 1
    assert seen["M/other"] == 150
    assert seen["M/v0"] == 3


def test_each_model_has_its_own_sum_of_others() -> None:
    totals = Totals(Clock())
    for number in range(MOST_VERSIONS):
        totals.add(Series("M", f"v{number}"), Bucket({200: 1}))
    totals.add(Series("A", "v1"), Bucket({200: 2}))
    totals.add(Series("B", "v1"), Bucket({500: 3}))
    assert (by_name(totals)["A/other"], by_name(totals)["B/other"]) == (2, 3)


def test_a_version_that_nobody_asked_for_long_makes_room() -> None:
    clock = Clock()
    totals = Totals(clock)
    for number in range(MOST_VERSIONS):
        totals.add(Series("M", f"v{number}"), Bucket({200: 1}))
    clock.now = FORGET_AFTER_S / 2
    totals.add(Series("M", "v0"), Bucket({200: 1}))
    clock.now = FORGET_AFTER_S
    totals.add(Series("M", "new"), Bucket({200: 1}))
    found = by_name(totals)
    assert found["M/v0"] == 2
    assert "M/new" in found
    assert "M/v1" not in found
    assert len(found) == MOST_VERSIONS


def test_histograms_add_up_beside_the_requests_of_each_role() -> None:
    totals = Totals(Clock())
    took, waited = Histogram({3: 4}, 500), Histogram({0: 4}, 20)
    for stage in (Stage.API, Stage.VERSION, Stage.API):
        totals.add(Series("M", "v1", stage), Bucket({200: 3, 500: 1}, took, waited))
    [sums] = totals
    assert sums.requests == {("live", 200): 6, ("live", 500): 2, ("version", 200): 3, ("version", 500): 1}
    assert (sums.durations.counts, sums.durations.total) == ({3: 12}, 1500)
    assert (sums.queue.counts, sums.queue.total) == ({0: 12}, 60)
