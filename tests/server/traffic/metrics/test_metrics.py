from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from core.traffic.bucket import Bucket, Series
from core.traffic.histogram import DURATION_BOUNDS_NS, Histogram
from gateway.messages import Counted, Tallied
from server.state import ServerState
from server.traffic.metrics.metrics import Metrics
from server.traffic.traffic import Traffic
from tests.server.states import live, model, state
from worker.wire.messages import Merging


def metrics(traffic: Traffic) -> Metrics:
    state = ServerState(source="s", head="h", problem=None, ready=True, models={}, left_out={})
    return Metrics(lambda: state, list, traffic.totals)


def exposed(given: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """As Prometheus reads it."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(given.text().decode())
        for sample in family.samples
    }


def labels(**given: str) -> frozenset[tuple[str, str]]:
    return frozenset(given.items())


def test_counts_of_several_messages_add_up() -> None:
    traffic = Traffic()
    slow = DURATION_BOUNDS_NS.index(20_000_000)
    took = Histogram({0: 3, slow: 1, len(DURATION_BOUNDS_NS): 1}, 1_500_000_000)
    bucket = Bucket({200: 4, 500: 1}, took, Histogram({0: 2}, 1000), Histogram({0: 1, 3: 2}, 17))
    for _ in range(2):
        traffic.take(Counted(tallies=[Tallied(Series("M", "v1"), bucket)]))
    said = exposed(metrics(traffic))
    assert said["pawl_requests_total", labels(model="M", version="v1", role="live", status="200")] == 8
    assert said["pawl_requests_total", labels(model="M", version="v1", role="live", status="500")] == 2
    of = {"model": "M", "version": "v1"}
    for bound, count in (("0.001", 6), ("0.01", 6), ("0.025", 8), ("30.0", 8), ("+Inf", 10)):
        assert said["pawl_request_duration_seconds_bucket", labels(**of, le=bound)] == count
    assert said["pawl_request_duration_seconds_sum", labels(**of)] == 3
    assert said["pawl_request_duration_seconds_count", labels(**of)] == 10
    assert said["pawl_queue_seconds_sum", labels(**of)] == 2e-06
    assert said["pawl_batch_rows_bucket", labels(**of, le="4.0")] == 2
    assert said["pawl_batch_rows_sum", labels(**of)] == 34


def test_what_is_odd_in_a_label_stays_in_it() -> None:
    traffic = Traffic()
    odd = 'M"} 1\n\\'
    traffic.add(Series(odd, "v1"), Bucket({200: 1}))
    assert (
        exposed(metrics(traffic))["pawl_requests_total", labels(model=odd, version="v1", role="live", status="200")]
        == 1
    )


def test_it_tells_on_which_provider_a_session_runs_and_of_which_release() -> None:
    session = Merging(session="scorer", merged=True, why="", provider="CUDAExecutionProvider")
    serving = state(model("M", live(sessions=(session,))), model("Waiting", None))
    said = exposed(Metrics(lambda: serving, list, Traffic().totals))
    of = {"model": "M", "session": "scorer", "provider": "CUDAExecutionProvider"}
    assert said["pawl_session_provider", labels(**of, version="v3")] == 1
    assert said["pawl_session_merged", labels(**of)] == 1
    assert [name for name, _ in said].count("pawl_session_provider") == 1
