"""What the server takes of the machine, and what became of its models, as families of metrics."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from server.traffic.gpus import gpus
from server.traffic.metrics.happenings import Happenings
from server.traffic.system import SystemReader
from worker.wire.memory import private_memory


def system_families(system: SystemReader, happenings: Happenings, workers: Mapping[str, int]) -> Iterator[Metric]:
    """`workers`: bytes of their memory, by model."""
    yield _counts("pawl_swaps", "Releases that went live, or failed to.", "outcome", happenings.swaps)
    yield _counts("pawl_restarts", "Workers that ended and were replaced.", "model", happenings.restarts)
    age = GaugeMetricFamily("pawl_sync_age_seconds", "Since what is followed could last be read.")
    if (age_s := system.followed().age_s) is not None:
        age.add_metric([], age_s)
    yield age
    yield _memory(system, workers)
    on_gpu = GaugeMetricFamily("pawl_gpu_memory_bytes", "Memory in use of a GPU, by all processes.", labels=["gpu"])
    for gpu in gpus():
        on_gpu.add_metric([str(gpu.index)], gpu.memory_used_bytes)
    yield on_gpu


def _counts(name: str, says: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, says, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family


def _memory(system: SystemReader, workers: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily("pawl_memory_bytes", "Memory that is a process's alone.", labels=["process", "model"])
    family.add_metric(["daemon", ""], private_memory(os.getpid()))
    family.add_metric(["gateway", ""], sum(gateway.memory_bytes for gateway in system.gateways()))
    for model, taken in workers.items():
        family.add_metric(["worker", model], taken)
    return family
