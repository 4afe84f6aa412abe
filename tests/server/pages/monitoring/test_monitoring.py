from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import msgspec

from server.pages.layout.units import DASH
from server.pages.monitoring.axis import axis_of
from server.pages.monitoring.days import day_of
from server.pages.monitoring.machine_charts import machine_charts
from server.pages.monitoring.ranges import chosen, step_text
from server.pages.monitoring.swaps import MOST, are_too_many, swap_lines
from server.pages.monitoring.traffic_charts import traffic_charts, whole_steps
from server.traffic.history.digests import Wait
from server.traffic.history.history import Counts, History, Swap
from server.traffic.history.points import Figures, Point
from server.traffic.usage import Usage

BEGINS = datetime(2026, 3, 12, 12, tzinfo=UTC)


def point(minute: int, by_status: dict[str, int], p95: float | None = None) -> Point:
    return Point(
        at=BEGINS + timedelta(minutes=minute),
        requests=sum(by_status.values()),
        by_status=by_status,
        p50_ms=p95 and p95 / 2,
        p95_ms=p95,
        p99_ms=p95 and p95 * 2,
        mean_ms=p95,
        batch_mean=None,
    )


def history(points: list[Point], *, minutes: int, step_s: int = 60) -> History:
    totals = {"200": 100, "500": 1}
    figures = Figures(requests=101, by_status=totals, p50_ms=1.0, p95_ms=38.0, p99_ms=3.0, mean_ms=1.0, batch_mean=None)
    swap = Swap(at=BEGINS + timedelta(minutes=minutes / 2), model="a", version="v2", commit="c", run=None, cause="push")
    ends = BEGINS + timedelta(minutes=minutes)
    return History(begins=BEGINS, ends=ends, step_s=step_s, points=points, swaps=[swap], totals=figures)


def test_requests_are_told_by_class_and_stand_on_each_other() -> None:
    found = {
        one.name: one
        for one in traffic_charts(
            history([point(0, {"200": 8, "404": 1, "503": 1}, 40.0), point(1, {"201": 4})], minutes=2)
        )
    }
    lines = {line.name: line for line in found["requests"].lines}
    assert {name: line.values for name, line in lines.items()} == {"2xx": (8, 4), "4xx": (1, 0), "5xx": (1, 0)}
    assert found["requests"].top == "10"
    assert lines["2xx"].path == "M0.0 20.0h0L50.0 60.0L50.0 100L0.0 100Z"
    assert lines["5xx"].path.startswith("M0.0 0.0h0L50.0 60.0")
    assert found["errors"].lines[0].values == (0.1, 0)
    assert found["latency"].says.startswith(f"Latency: p50 at most 20 ms, last {DASH}; p95 at most 40 ms")


def test_where_nothing_was_measured_there_is_a_gap() -> None:
    points = [point(0, {"200": 1}, 10.0), point(1, {}), point(2, {"200": 1}, 20.0)]
    latency = traffic_charts(history(points, minutes=3))[2]
    assert latency.lines[1].path == "M0.0 80.0h0M66.7 60.0h0"
    assert latency.lines[1].values == (10.0, None, 20.0)
    assert [row[1][1] for row in latency.rows] == ["10 ms", DASH, "20 ms"]
    empty = traffic_charts(history([point(0, {})], minutes=1))
    assert empty[1].says == "Errors, share of answers: nothing was measured"


def test_a_step_that_goes_on_is_left_out_unless_it_is_the_only_one() -> None:
    two = history([point(0, {"200": 60}), point(1, {"200": 1})], minutes=2)
    assert len(whole_steps(two, BEGINS + timedelta(seconds=90)).points) == 1
    assert len(whole_steps(two, BEGINS + timedelta(seconds=120)).points) == 2
    assert len(whole_steps(two, BEGINS + timedelta(seconds=10)).points) == 2


def test_a_table_is_no_longer_than_can_be_read_and_ends_with_the_last() -> None:
    chart = traffic_charts(history([point(minute, {"200": minute}) for minute in range(200)], minutes=200))[0]
    assert len(chart.rows) == 24
    assert chart.rows[0][0] == "12:00"
    assert chart.rows[-1] == ("15:19", ("199", "0", "0"))


def test_a_swap_is_marked_where_it_was() -> None:
    (swap,) = swap_lines(history([], minutes=60))
    assert (swap.left, swap.version, swap.at, swap.is_labelled) == ("50.0%", "v2", "12:30", True)
    shared = json.loads(axis_of(history([point(0, {"200": 1})], minutes=60)).data)
    assert shared["swaps"] == [{"at": (BEGINS + timedelta(minutes=30)).timestamp(), "version": "v2"}]


def test_more_swaps_than_anybody_could_read_are_told_instead_of_drawn() -> None:
    shown = history([], minutes=100)
    started = msgspec.structs.replace(shown.swaps[0], cause="restart")
    for count, is_told in ((MOST, False), (MOST + 1, True)):
        found = msgspec.structs.replace(shown, swaps=[*shown.swaps * count, started])
        assert are_too_many(found.swaps) is is_told
        assert len(swap_lines(found)) == (0 if is_told else count)


def test_where_labels_of_swaps_have_no_room_the_newest_has_one() -> None:
    shown = history([], minutes=100)
    swaps = [
        msgspec.structs.replace(shown.swaps[0], at=BEGINS + timedelta(minutes=minute), version=f"v{minute}")
        for minute in (95, 10, 20, 91, 23)
    ]
    found = swap_lines(msgspec.structs.replace(shown, swaps=swaps))
    assert [swap.version for swap in found if swap.is_labelled] == ["v95", "v10", "v23"]
    assert {swap.version for swap in found if swap.shift < 0} == {"v95", "v91"}


def test_a_range_is_a_preset_or_what_was_chosen() -> None:
    assert chosen("", None, None, BEGINS).preset == "24h"
    assert chosen("7d", None, None, BEGINS).begins == BEGINS - timedelta(days=7)
    begins = BEGINS - timedelta(hours=3)
    own = chosen("7d", begins, begins + timedelta(hours=1), BEGINS)
    assert (own.preset, own.begins, own.ends) == ("", begins, begins + timedelta(hours=1))
    assert chosen("", begins, None, BEGINS).ends == BEGINS


def test_the_step_is_told_in_words() -> None:
    assert [step_text(seconds) for seconds in (60, 900, 3600, 86_400)] == [
        "a point each minute",
        "a point each 15 min",
        "a point each hour",
        "a point each day",
    ]


def test_the_rate_of_a_step_that_goes_on_is_of_the_time_so_far() -> None:
    shown = history([], minutes=30, step_s=900)
    counts = Counts(
        begins=shown.begins, ends=shown.ends, step_s=900, requests=[900, 300], swaps=shown.swaps, totals=shown.totals
    )
    day = day_of(counts, BEGINS + timedelta(minutes=20))
    assert list(day.rates) == [60.0, 60.0]
    assert (day.requests, day.errors, day.p95_ms, day.swaps) == (101, 1, 38.0, (0.5,))
    assert list(day_of(counts, BEGINS + timedelta(minutes=15, seconds=10)).rates) == [60.0]


def test_how_long_requests_waited_is_told_of_each_point() -> None:
    waits = [Wait(0.5, 0.9), Wait(None, None), Wait(7.0, 7.0)]
    found = {one.name: one for one in traffic_charts(history([point(0, {"200": 4}), point(1, {})], minutes=2), waits)}
    assert [line.values for line in found["queue"].lines] == [(0.5, None), (0.9, None)]
    assert "queue" not in {one.name for one in traffic_charts(history([point(0, {"200": 4})], minutes=1), waits[1:])}


def test_what_the_machine_gives_is_drawn_at_the_steps_of_the_others_and_left_out_where_there_is_none() -> None:
    at = BEGINS.timestamp()
    usage = [
        Usage(at + 10, None, 100_000_000, None),
        Usage(at + 40, 0.5, 300_000_000, None),
        Usage(at + 130, 1.5, 400_000_000, None),
        Usage(at - 1, 9.0, 1, None),
    ]
    points = [point(minute, {}) for minute in range(3)]
    processors, memory = machine_charts(history(points, minutes=3), usage)
    assert processors.lines[0].values == (0.5, None, 1.5)
    assert memory.lines[0].values == (200_000_000, None, 400_000_000)
    assert memory.says == "Memory: used at most 400 MB, last 400 MB"
    assert machine_charts(history(points, minutes=3), ()) == ()
