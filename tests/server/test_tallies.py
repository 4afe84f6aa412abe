from __future__ import annotations

from server.tallies import FORGET_AFTER_S, MOST_VERSIONS, Tallies


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def totals(tallies: Tallies) -> dict[str, int]:
    return {f"{sums.model}/{sums.version}": sums.requests.total() for sums in tallies}


def test_with_more_versions_in_use_than_have_room_no_sum_slips_back_and_none_is_lost() -> None:
    tallies, seen, count = Tallies(Clock()), dict[str, int](), 0
    for _ in range(3):
        for number in range(MOST_VERSIONS + 50):
            tallies.add(f"M/v{number}", {200: 1}, None)
            count += 1
        now = totals(tallies)
        assert all(now[name] >= before for name, before in seen.items())
        assert sum(now.values()) == count
        seen = now
    assert len(seen) == MOST_VERSIONS + 1
    assert seen["M/other"] == 150
    assert seen["M/v0"] == 3


def test_each_model_has_its_own_sum_of_others() -> None:
    tallies = Tallies(Clock())
    for number in range(MOST_VERSIONS):
        tallies.add(f"M/v{number}", {200: 1}, None)
    tallies.add("A/v1", {200: 2}, None)
    tallies.add("B/v1", {500: 3}, None)
    assert (totals(tallies)["A/other"], totals(tallies)["B/other"]) == (2, 3)


def test_a_version_that_nobody_asked_for_long_makes_room() -> None:
    clock = Clock()
    tallies = Tallies(clock)
    for number in range(MOST_VERSIONS):
        tallies.add(f"M/v{number}", {200: 1}, None)
    clock.now = FORGET_AFTER_S / 2
    tallies.add("M/v0", {200: 1}, None)
    clock.now = FORGET_AFTER_S
    tallies.add("M/new", {200: 1}, None)
    found = totals(tallies)
    assert found["M/v0"] == 2
    assert "M/new" in found
    assert "M/v1" not in found
    assert len(found) == MOST_VERSIONS


def test_durations_add_up_beside_the_requests() -> None:
    tallies = Tallies(Clock())
    for _ in range(2):
        tallies.add("M/v1", {200: 3, 500: 1}, [4] + [0] * 14)
    [sums] = tallies
    assert (sums.requests, sums.buckets[0]) == ({200: 6, 500: 2}, 8)
