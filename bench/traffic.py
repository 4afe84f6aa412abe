"""`scripts/bench traffic`: what a year of traffic of many busy models takes, and how long questions about it take."""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import typer
from sqlalchemy import create_engine, text

from core.manifest.manifest import Manifest
from core.traffic.bucket import Bucket, Series
from core.traffic.histogram import DURATION_BOUNDS_NS, QUEUE_BOUNDS_NS, Histogram
from core.traffic.packing import pack
from core.traffic.resolution import RESOLUTIONS, Resolution
from registry.registry import Registry
from server.state import LiveRelease, ModelState, ServerState
from server.traffic.history.history import TrafficHistory
from server.traffic.history.leftover import Leftover
from server.traffic.history.writer import TrafficWriter
from server.traffic.metrics.metrics import Metrics
from server.traffic.totals import Totals
from worker.wire.messages import Description, Merging
from worker.wire.status_page import StatusPage, new_page

_PER_SECOND = 50
"""Requests to each model."""
_SAMPLES = 2_000
_SHAPES = 40
"""Different buckets of each length: what lies in the table differs from row to row, but need not everywhere."""
_DAYS = 400
_TIMES = 15


def main(
    models: Annotated[int, typer.Option(help="Busy models.")] = 200,
    database: Annotated[str, typer.Option(help="A SQLAlchemy URL of an empty database; none: SQLite.")] = "",
) -> None:
    """Fill the history of so many models as it is after a year, and ask."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "registry.db"
        url = database or f"sqlite:///{file}"
        registry = Registry(url)
        rows = fill(registry, url, models)
        with registry.transaction() as transaction:
            size = transaction.size_bytes()
        print(f"{models} models, {rows:,} buckets: {size / 1e6:.0f} MB, {size / rows:.0f} bytes each")
        asyncio.run(_ask(registry))
        _write(registry, models)
        registry.close()
    _expose(models)


def fill(registry: Registry, url: str, models: int) -> int:
    now = int(time.time()) // 60 * 60
    with registry.transaction() as transaction:
        transaction.traffic.add("begin", 0, {series: Bucket() for series in _series(models)})
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    rows = 0
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM traffic"))
        ids = list(connection.scalars(text("SELECT id FROM traffic_series")))
        for resolution in RESOLUTIONS:
            some = list(_rows(resolution, ids, now))
            rows += len(some)
            into = text("INSERT INTO traffic (step, series, at, bucket) VALUES (:step, :series, :at, :bucket)")
            for start in range(0, len(some), 50_000):
                connection.execute(into, some[start : start + 50_000])
        connection.execute(text(_USAGE), [one for each in RESOLUTIONS for one in _usage(each, now)])
    engine.dispose()
    return rows


def _series(models: int) -> Iterator[Series]:
    yield Series("", "")
    for number in range(models):
        yield Series(f"Model-{number}", "v17", commit=f"{number:040x}")


_USAGE = (
    "INSERT INTO usage (step, at, server, samples, memory_bytes, cores, cores_samples, gpu_memory_bytes, gpu_samples) "
    "VALUES (:step, :at, 'one', :step, :step * 1000000000, :step * 0.7, :step, 0, 0)"
)


def _usage(resolution: Resolution, now: int) -> Iterator[dict[str, int]]:
    step_s = resolution.step_s
    for number in range(min(resolution.kept_s, _DAYS * 86_400) // step_s):
        yield {"step": step_s // 60, "at": (now // step_s - number) * step_s // 60}


def _rows(resolution: Resolution, ids: list[int], now: int) -> Iterator[dict[str, Any]]:
    shapes = [pack(busy(resolution.step_s * _PER_SECOND)) for _ in range(_SHAPES)]
    kept = min(resolution.kept_s, _DAYS * 86_400) // resolution.step_s
    first = now // resolution.step_s - kept + 1
    for number in range(first, first + kept):
        for series in ids:  # in the order in which they come, which decides how full a database's pages are
            yield {
                "step": resolution.step_s // 60,
                "series": series,
                "at": number * resolution.step_s // 60,
                "bucket": shapes[(number + series) % _SHAPES],
            }


def busy(requests: int) -> Bucket:
    """So many answers of a model that takes some milliseconds, with a long tail, a queue and batches."""
    slow = random.lognormvariate(0.0, 0.3)
    scale = requests / _SAMPLES
    durations = _histogram(
        (random.lognormvariate(1.2, 0.6) * slow * 1e6 for _ in range(_SAMPLES)), DURATION_BOUNDS_NS, scale
    )
    queue = _histogram((random.lognormvariate(-1.0, 0.9) * slow * 1e6 for _ in range(_SAMPLES)), QUEUE_BOUNDS_NS, scale)
    batches = Counter(min(6, int(random.expovariate(0.6))) for _ in range(_SAMPLES))
    rows = Histogram({size: int(count * scale) + 1 for size, count in batches.items()}, int(requests * 1.1))
    statuses = {200: int(requests * 0.99), 422: int(requests * 0.005), 500: 1 + requests // 5000, 503: 3}
    return Bucket(statuses, durations, queue, rows)


def _histogram(values: Iterable[float], bounds: Sequence[int], scale: float) -> Histogram:
    found = [int(value) for value in values]
    counts = Counter(bisect_left(bounds, value) for value in found)
    return Histogram({index: int(count * scale) + 1 for index, count in counts.items()}, int(sum(found) * scale))


async def _ask(registry: Registry) -> None:
    history = TrafficHistory(registry, TrafficWriter(registry, Leftover(Path("nowhere"))))
    now = datetime.now(UTC)
    for says, model, back in (
        ("an hour of a model", "Model-7", timedelta(hours=1)),
        ("a day of a model", "Model-7", timedelta(days=1)),
        ("30 days of a model", "Model-7", timedelta(days=30)),
        ("a year of a model", "Model-7", timedelta(days=365)),
        ("a day of all models", "", timedelta(days=1)),
        ("a year of all models", "", timedelta(days=365)),
    ):
        await _time(says, lambda model=model, back=back: history.query(model, "", now - back, now))  # type: ignore[misc]


async def _time(says: str, work: Callable[[], Awaitable[object]]) -> None:
    took = []
    for _ in range(_TIMES):
        watch = Stopwatch()
        await work()
        took.append(watch.took())
    _tell(says, took)


def _write(registry: Registry, models: int) -> None:
    buckets = {series: busy(60 * _PER_SECOND) for series in _series(models)}
    took = []
    for number in range(5):
        watch = Stopwatch()
        with registry.transaction() as transaction:
            transaction.traffic.add(f"minute {number}", int(time.time()) + 60 * number, buckets)
        took.append(watch.took())
    _tell("a minute written down", took)
    watch = Stopwatch()
    with registry.transaction() as transaction:
        transaction.traffic.thin(datetime.now(UTC) + timedelta(hours=1))
    _tell("an hour forgotten", [watch.took()])


def _expose(models: int) -> None:
    totals = Totals()
    for series in list(_series(models))[1:]:
        totals.add(series, busy(10_000))
    pools = [_pool(number) for number in range(models)]
    metrics = Metrics(lambda: _state(models), lambda: pools, totals)  # type: ignore[arg-type, return-value]
    took = []
    for _ in range(_TIMES):
        watch = Stopwatch()
        exposed = metrics.text()
        took.append(watch.took())
    _tell(f"/metrics, {len(exposed) // 1000} kB", took)


def _pool(number: int) -> SimpleNamespace:
    page = StatusPage(new_page())
    return SimpleNamespace(
        release=SimpleNamespace(model=f"Model-{number}", id=f"{number:040x}"),
        workers=(SimpleNamespace(status_page=page),),
        memory=lambda: 50_000_000,
    )


def _state(models: int) -> ServerState:
    session = Merging(session="model", merged=True, why="", provider="CPUExecutionProvider")
    description = Description(takes="dict", concurrent=True, why="", sessions=(session,))
    live = LiveRelease(
        version="v17",
        commit="c" * 40,
        release="r",
        workers=1,
        crashing=False,
        memory_mb=50,
        description=description,
        manifest=Manifest(),
        root="/",
    )
    names = [f"Model-{number}" for number in range(models)]
    found = {name: ModelState(name=name, live=live, doing=None, failure=None) for name in names}
    return ServerState(source="", head="", problem=None, ready=True, models=found, left_out={})


class Stopwatch:
    """By the clock, and by what the processor did: on a machine that others use too, the second says more."""

    def __init__(self) -> None:
        self._began, self._computed = time.perf_counter(), time.process_time()

    def took(self) -> tuple[float, float]:
        """Milliseconds."""
        return (time.perf_counter() - self._began) * 1e3, (time.process_time() - self._computed) * 1e3


def _tell(says: str, took: list[tuple[float, float]]) -> None:
    wall, cpu = zip(*took, strict=True)
    print(
        f"{says}: {statistics.median(wall):.1f} ms, at most {max(wall):.1f}; "
        f"of the processor {statistics.median(cpu):.1f}, at most {max(cpu):.1f}"
    )
