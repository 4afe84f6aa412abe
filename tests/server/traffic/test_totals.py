from __future__ import annotations

from gateway.messages import Durations
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
            totals.add(f"M/v{number}", {200: 1}, None)
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
        totals.add(f"M/v{number}", {200: 1}, None)
    totals.add("A/v1", {200: 2}, None)
    totals.add("B/v1", {500: 3}, None)
    assert (by_name(totals)["A/other"], by_name(totals)["B/other"]) == (2, 3)


def test_a_version_that_nobody_asked_for_long_makes_room() -> None:
    clock = Clock()
    totals = Totals(clock)
    for number in range(MOST_VERSIONS):
        totals.add(f"M/v{number}", {200: 1}, None)
    clock.now = FORGET_AFTER_S / 2
    totals.add("M/v0", {200: 1}, None)
    clock.now = FORGET_AFTER_S
    totals.add("M/new", {200: 1}, None)
    found = by_name(totals)
    assert found["M/v0"] == 2
    assert "M/new" in found
    assert "M/v1" not in found
    assert len(found) == MOST_VERSIONS


def test_durations_add_up_beside_the_requests() -> None:
    totals = Totals(Clock())
    for _ in range(2):
        totals.add("M/v1", {200: 3, 500: 1}, Durations(buckets=[4] + [0] * 14, sum_s=0.5))
    [sums] = totals
    assert (sums.requests, sums.buckets[0], sums.sum_s) == ({200: 6, 500: 2}, 8, 1.0)
