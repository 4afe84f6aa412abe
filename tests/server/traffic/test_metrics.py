from __future__ import annotations

from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry

from core.traffic.bucket import Bucket, Series
from core.traffic.histogram import DURATION_BOUNDS_NS, Histogram
from gateway.messages import Counted, Tallied
from server.state import ServerState
from server.traffic.metrics import Metrics
from server.traffic.traffic import Traffic
from tests.server.states import live, model, state
from worker.wire.messages import Merging


def metrics(traffic: Traffic) -> Metrics:
    state = ServerState(source="s", head="h", problem=None, ready=True, models={}, left_out={})
    return Metrics(lambda: state, list, traffic.totals)


def exposed(given: Metrics) -> str:
    registry = CollectorRegistry()
    registry.register(given)
    return generate_latest(registry).decode()


def test_counts_of_several_messages_add_up() -> None:
    traffic = Traffic()
    slow = DURATION_BOUNDS_NS.index(20_000_000)
    took = Histogram({0: 3, slow: 1, len(DURATION_BOUNDS_NS): 1}, 1_500_000_000)
    bucket = Bucket({200: 4, 500: 1}, took, Histogram({0: 2}, 1000), Histogram({0: 1, 3: 2}, 17))
    for _ in range(2):
        traffic.take(Counted(tallies=[Tallied(Series("M", "v1"), bucket)]))
    said = exposed(metrics(traffic))
    assert 'pawl_requests_total{model="M",role="live",status="200",version="v1"} 8.0' in said
    assert 'pawl_requests_total{model="M",role="live",status="500",version="v1"} 2.0' in said
    of = 'model="M",version="v1"'
    for bound, count in (("0.001", 6), ("0.01", 6), ("0.025", 8), ("30.0", 8), ("+Inf", 10)):
        assert f'pawl_request_duration_seconds_bucket{{le="{bound}",{of}}} {count}.0' in said
    assert f"pawl_request_duration_seconds_sum{{{of}}} 3.0" in said
    assert f"pawl_request_duration_seconds_count{{{of}}} 10.0" in said
    assert f"pawl_queue_seconds_sum{{{of}}} 2e-06" in said
    assert f'pawl_batch_rows_bucket{{le="4.0",{of}}} 2.0' in said
    assert f"pawl_batch_rows_sum{{{of}}} 34.0" in said


def test_it_tells_on_which_provider_a_session_runs_and_of_which_release() -> None:
    session = Merging(session="scorer", merged=True, why="", provider="CUDAExecutionProvider")
    serving = state(model("M", live(sessions=(session,))), model("Waiting", None))
    said = exposed(Metrics(lambda: serving, list, Traffic().totals))
    labels = 'model="M",provider="CUDAExecutionProvider",session="scorer"'
    assert f'pawl_session_provider{{{labels},version="v3"}} 1.0' in said
    assert f"pawl_session_merged{{{labels}}} 1.0" in said
    assert said.count("pawl_session_provider{") == 1
