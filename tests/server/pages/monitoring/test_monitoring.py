from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from core.traffic.bucket import Bucket
from core.traffic.histogram import QUEUE_BOUNDS_NS, Histogram
from server.pages.layout.units import DASH
from server.pages.monitoring.charts import charts, swap_lines, whole_steps
from server.pages.monitoring.days import day_of
from server.pages.monitoring.machine_charts import machine_charts
from server.pages.monitoring.ranges import chosen, step_text
from server.traffic.history.history import History, Swap
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
        for one in charts(history([point(0, {"200": 8, "404": 1, "503": 1}, 40.0), point(1, {"201": 4})], minutes=2))
    }
    lines = {line.name: line for line in found["requests"].lines}
    assert {name: line.values for name, line in lines.items()} == {"2xx": (8, 4), "4xx": (1, 0), "5xx": (1, 0)}
    assert found["requests"].top == "10"
    assert lines["2xx"].path == "M0.0 20.0h0L100.0 60.0L100 100L0 100Z"
    assert lines["5xx"].path.startswith("M0.0 0.0h0L100.0 60.0")
    assert found["errors"].lines[0].values == (0.1, 0)
    assert found["latency"].says.startswith(f"Latency: p50 at most 20 ms, last {DASH}; p95 at most 40 ms")


def test_where_nothing_was_measured_there_is_a_gap() -> None:
    points = [point(0, {"200": 1}, 10.0), point(1, {}), point(2, {"200": 1}, 20.0)]
    latency = charts(history(points, minutes=3))[2]
    assert latency.lines[1].path == "M0.0 80.0h0M100.0 60.0h0"
    assert latency.lines[1].values == (10.0, None, 20.0)
    assert [row[1][1] for row in latency.rows] == ["10 ms", DASH, "20 ms"]
    empty = charts(history([point(0, {})], minutes=1))
    assert empty[1].says == "Errors, share of answers: nothing was measured"


def test_a_step_that_goes_on_is_left_out_unless_it_is_the_only_one() -> None:
    two = history([point(0, {"200": 60}), point(1, {"200": 1})], minutes=2)
    assert len(whole_steps(two, BEGINS + timedelta(seconds=90)).points) == 1
    assert len(whole_steps(two, BEGINS + timedelta(seconds=120)).points) == 2
    assert len(whole_steps(two, BEGINS + timedelta(seconds=10)).points) == 2


def test_a_table_is_no_longer_than_can_be_read_and_ends_with_the_last() -> None:
    chart = charts(history([point(minute, {"200": minute}) for minute in range(200)], minutes=200))[0]
    assert len(chart.rows) == 24
    assert chart.rows[0][0] == "12:00"
    assert chart.rows[-1] == ("15:19", ("199", "0", "0"))


def test_a_swap_is_marked_where_it_was() -> None:
    (swap,) = swap_lines(history([], minutes=60))
    assert (swap.left, swap.version, swap.at) == ("50.0%", "v2", "12:30")
    data = json.loads(charts(history([point(0, {"200": 1})], minutes=60))[0].data)
    assert data["swaps"] == [{"at": (BEGINS + timedelta(minutes=30)).timestamp(), "version": "v2"}]


def test_a_range_is_a_preset_or_what_was_chosen() -> None:
    assert chosen("", None, None, BEGINS).preset == "24h"
    assert chosen("7d", None, None, BEGINS).begins == BEGINS - timedelta(days=7)
    assert chosen("no such", None, None, BEGINS).preset == "24h"
    begins = BEGINS - timedelta(hours=3)
    own = chosen("7d", begins, begins + timedelta(hours=1), BEGINS)
    assert (own.preset, own.begins, own.ends) == ("", begins, begins + timedelta(hours=1))
    assert chosen("", begins, begins - timedelta(hours=1), BEGINS).ends == BEGINS


def test_the_step_is_told_in_words() -> None:
    assert [step_text(seconds) for seconds in (60, 900, 3600, 86_400)] == [
        "a point each minute",
        "a point each 15 min",
        "a point each hour",
        "a point each day",
    ]


def test_the_rate_of_a_step_that_goes_on_is_of_the_time_so_far() -> None:
    points = [point(0, {"200": 900}), point(15, {"200": 300})]
    day = day_of(history(points, minutes=30, step_s=900), BEGINS + timedelta(minutes=20))
    assert list(day.rates) == [60.0, 60.0]
    assert (day.requests, day.errors, day.p95_ms) == (101, 1, 38.0)
    early = day_of(history(points, minutes=30, step_s=900), BEGINS + timedelta(minutes=15, seconds=10))
    assert list(early.rates) == [60.0]


def test_how_long_requests_waited_is_told_of_the_buckets_behind_the_points() -> None:
    waited = Histogram(
        {QUEUE_BOUNDS_NS.index(next(bound for bound in QUEUE_BOUNDS_NS if bound >= 10**6)): 4}, 4 * 10**6
    )
    buckets = [Bucket({200: 4}, queue=waited), Bucket(), Bucket({200: 1}, queue=waited)]
    found = {one.name: one for one in charts(history([point(0, {"200": 4}), point(1, {})], minutes=2), buckets)}
    p50, p95 = found["queue"].lines
    assert p95.values[1] is None
    assert len(p95.values) == 2
    assert p50.values[0] is not None
    assert 0.1 < p50.values[0] <= (p95.values[0] or 0) < 10


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
