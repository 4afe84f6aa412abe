from __future__ import annotations

import pytest

from gateway.messages import Sampling
from server.traces.variables import sampling

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
TRACES = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, None),
        (ENDPOINT, Sampling()),
        (TRACES, Sampling()),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, Sampling()),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, None),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "true"}, None),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, Sampling()),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, None),
        ({**ENDPOINT, "OTEL_TRACES_SAMPLER": "always_on"}, Sampling(heeds_parent=False)),
        ({**ENDPOINT, "OTEL_TRACES_SAMPLER": "parentbased_always_off"}, Sampling(share=0.0)),
        (
            {**ENDPOINT, "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.01"},
            Sampling(share=0.01, heeds_parent=False),
        ),
        (
            {**ENDPOINT, "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1.5"},
            Sampling(share=1.0),
        ),
        ({**ENDPOINT, "OTEL_TRACES_SAMPLER": "jaeger_remote"}, Sampling()),
    ],
)
def test_the_standard_variables_say_which_requests_are_traced(environ: dict[str, str], found: Sampling | None) -> None:
    assert sampling(environ) == found


def test_the_log_says_why_nothing_is_traced_that_was_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    sampling({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
    assert "not traced: the protocol is grpc" in caplog.text
