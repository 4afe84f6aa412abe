"""`GET /metrics`: what gateways and workers counted, in Prometheus's text format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.paths import METRICS
from core.runs.states import RunState
from core.version_states import VersionState
from loader.workers.pool import Pool
from server.state import ModelState, ServerState
from server.traffic.metrics.request_lines import request_lines
from server.traffic.totals import Sums


class Metrics(Collector):
    """Sums since the daemon's start. Labels come from route tables, never from a URL."""

    def __init__(
        self,
        state: Callable[[], ServerState],
        pools: Callable[[], Iterable[Pool]],
        totals: Iterable[Sums],
        runs: Callable[[], Mapping[RunState, int]] = dict,
        system: Callable[[Mapping[str, int]], Iterable[Metric]] = lambda _: (),
    ) -> None:
        """`runs`: how many training runs are in each state. `system`: what there is to tell of the machine, with the
        memory of the models' workers, in bytes."""
        self._state = state
        self._pools = pools
        self._totals = totals
        self._runs = runs
        self._system = system
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def route(self) -> Route:
        return Route(METRICS.template, self.expose)

    async def expose(self, request: Request) -> Response:
        return Response(self.text(), media_type=CONTENT_TYPE_LATEST)

    def text(self) -> bytes:
        return request_lines(self._totals) + generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        state = self._state()
        yield from _model_families(state)
        memory = [(pool, pool.memory()) for pool in self._pools()]
        yield from _worker_families(memory)
        yield from self._system(_by_model(memory))
        yield _runs_family(self._runs())
        yield GaugeMetricFamily("pawl_ready", "Whether the server is ready.", float(state.ready))
        yield GaugeMetricFamily(
            "pawl_source_reachable",
            "Whether what is followed could be read at the last look.",
            float(not state.problem),
        )


def _runs_family(counts: Mapping[RunState, int]) -> Metric:
    family = GaugeMetricFamily("pawl_runs", "Training runs that are in each state.", labels=["state"])
    for state, count in counts.items():
        family.add_metric([state], count)
    return family


def _model_families(state: ServerState) -> Iterator[Metric]:
    live = GaugeMetricFamily("pawl_model_live", "1 for the version that is live.", labels=["model", "version"])
    failed = GaugeMetricFamily("pawl_model_failed", "Whether the newest release failed.", labels=["model"])
    for model in state.models.values():
        if model.live is not None:
            live.add_metric([model.name, model.live.version], 1)
        has_failed = model.failure is not None or model.state is VersionState.FAILED  # or its run came to nothing
        failed.add_metric([model.name], float(has_failed))
    yield live
    yield failed
    yield from _session_families(state.models.values())


def _session_families(models: Iterable[ModelState]) -> Iterator[Metric]:
    merged = GaugeMetricFamily(
        "pawl_session_merged",
        "Whether calls of an ONNX session are merged, and on which provider it really runs.",
        labels=["model", "session", "provider"],
    )
    provider = GaugeMetricFamily(
        "pawl_session_provider",
        "1 for the execution provider that an ONNX session really runs on.",
        labels=["model", "version", "session", "provider"],
    )
    for name, live in ((model.name, model.live) for model in models if model.live is not None):
        for session in live.description.sessions:
            merged.add_metric([name, session.session, session.provider], float(session.merged))
            provider.add_metric([name, live.version, session.session, session.provider], 1)
    yield merged
    yield provider


def _by_model(memory: list[tuple[Pool, int]]) -> Mapping[str, int]:
    by_model: Counter[str] = Counter()
    for pool, taken in memory:
        by_model[pool.release.model] += taken
    return by_model


def _worker_families(memory: list[tuple[Pool, int]]) -> Iterator[Metric]:
    """Gauges, not counters: a worker's counts end with it."""
    workers = GaugeMetricFamily("pawl_workers", "Workers that are ready.", labels=["model", "release"])
    taken = GaugeMetricFamily("pawl_workers_memory_bytes", "Memory of a pool's workers.", labels=["model", "release"])
    counts = {
        counter: GaugeMetricFamily(
            f"pawl_workers_{counter}", f"{counter.capitalize()} since the start of the workers that are ready.",
            labels=["model", "release"],
        )
        for counter in ("requests", "calls", "rows", "batches")
    }  # fmt: skip
    for pool, its in memory:
        labels = [pool.release.model, pool.release.id]
        workers.add_metric(labels, len(pool.workers))
        taken.add_metric(labels, its)
        sums: Counter[str] = Counter()
        for worker in pool.workers:
            sums.update(worker.status_page.counters())
        for counter, family in counts.items():
            family.add_metric(labels, sums[counter])
    yield from (workers, taken, *counts.values())
