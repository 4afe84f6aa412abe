"""Where more processes stop helping."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.capacity import Bend, Costs, bend
from bench.gateways import Scaled
from bench.home import ROOT
from bench.sample import Sample
from bench.sections.gateways import section

Microseconds = st.floats(1, 1000).map(lambda number: number / 1e6)
Several = st.integers(1, 16)


@pytest.mark.parametrize(
    ("gateways", "workers", "cores", "expected"),
    [
        (1, 1, 2, Bend(20_000, "cores")),
        (1, 1, 8, Bend(25_000, "gateways")),
        (3, 1, 8, Bend(50_000, "workers")),
        (2, 2, 4, Bend(40_000, "cores")),
    ],
)
def test_the_bend_moves_from_cores_to_gateways_to_workers(
    gateways: int, workers: int, cores: int, expected: Bend
) -> None:
    found = bend(Costs(gateway=40e-6, loop=20e-6, batches=40e-6), gateways, workers, cores)
    assert (round(found.rate), found.by) == (expected.rate, expected.by)


def test_a_large_model_bends_where_onnxruntime_does() -> None:
    found = bend(Costs(gateway=40e-6, loop=100e-6, batches=400e-6), 1, 1, cores=2)
    assert (round(found.rate), found.by) == (2500, "ONNX Runtime")


def test_the_load_generator_needs_cores_too() -> None:
    assert bend(Costs(40e-6, 60e-6, load=25e-6), 1, 1, cores=2).rate == pytest.approx(16_000)
    assert bend(Costs(4e-6, 6e-6, load=25e-6), 1, 1, cores=8).by == "load generator"


@given(Microseconds, Microseconds, Microseconds, Several, Several, Several)
def test_more_of_anything_never_gives_less(
    gateway: float, python: float, onnx: float, gateways: int, workers: int, cores: int
) -> None:
    costs = Costs(gateway, python, onnx)
    rate = bend(costs, gateways, workers, cores).rate * 0.999999
    assert bend(costs, gateways + 1, workers, cores).rate >= rate
    assert bend(costs, gateways, workers, cores + 1).rate >= rate
    assert bend(costs, gateways, workers * 2, cores).rate >= min(rate, workers / onnx)


def test_the_page_tells_what_was_measured_and_what_is_reasoning() -> None:
    cpu = {"gateway": 0.040, "worker": 0.060}
    sample = Sample(
        "pawl", "trees", 256, 15_000, 10.0, 20.0, 0, cpu, 150.0, 60.0, 1.0, load_cpu_s=0.025, loops_cpu_s=0.059
    )
    content = {
        "date": "today", "commit": "abc", "seconds": 4.0,
        "machine": {"processor": "P", "cores": 2, "memory_gb": 4, "kernel": "6", "wrk": "4", "load_average": 1.0},
        "scaled": [{"gateways": 1, "workers": 1, "sample": vars(sample)}],
    }  # fmt: skip
    page = "\n".join(section(content))
    assert "| gateways: 1, workers: 1 | 15,000 | 10.00 | 20.00 | 0 | 40 | 60 | 59 | 25 | 1.88 | 150 | 60.0 |" in page
    bends = "| 15,000 | 16,000 (cores) | 16,949 (workers) | 16,949 (workers) | 16,949 (workers) |"
    assert bends in page.partition("reasoning, not measured")[2]


def test_what_is_published_took_no_more_cores_than_there_are() -> None:
    """Else somebody's CPU time is counted that the requests did not cost."""
    content = json.loads((ROOT / "docs/benchmarks/gateways.json").read_text())
    for one in map(Scaled.of, content["scaled"]):
        most = one.bend_here(content["machine"]["cores"]).rate
        assert one.sample.rate <= 1.02 * most, one.title  # CPU time is read a little before the load and a little after
