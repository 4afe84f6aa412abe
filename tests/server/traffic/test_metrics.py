from __future__ import annotations

from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry

from gateway.messages import Counted, Durations
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
    durations = Durations(buckets=[4] + [0] * 14, sum_s=0.5)
    for _ in range(2):
        traffic.take(Counted(requests={"M/v1": {200: 3, 500: 1}}, durations={"M/v1": durations}))
    said = exposed(metrics(traffic))
    assert 'pawl_requests_total{model="M",status="200",version="v1"} 6.0' in said
    assert 'pawl_requests_total{model="M",status="500",version="v1"} 2.0' in said
    assert 'pawl_request_duration_seconds_bucket{le="+Inf",model="M",version="v1"} 8.0' in said
    assert 'pawl_request_duration_seconds_sum{model="M",version="v1"} 1.0' in said
    assert 'pawl_request_duration_seconds_count{model="M",version="v1"} 8.0' in said


def test_it_tells_on_which_provider_a_session_runs_and_of_which_release() -> None:
    session = Merging(session="scorer", merged=True, why="", provider="CUDAExecutionProvider")
    serving = state(model("M", live(sessions=(session,))), model("Waiting", None))
    said = exposed(Metrics(lambda: serving, list, Traffic().totals))
    labels = 'model="M",provider="CUDAExecutionProvider",session="scorer"'
    assert f'pawl_session_provider{{{labels},version="v3"}} 1.0' in said
    assert f"pawl_session_merged{{{labels}}} 1.0" in said
    assert said.count("pawl_session_provider{") == 1
