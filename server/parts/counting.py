"""What counts requests, and keeps what was counted."""

from __future__ import annotations

from dataclasses import dataclass

from registry.registry import Registry
from server.process.data_dir import DataDir
from server.traffic.batches import BatchCounts
from server.traffic.history.history import TrafficHistory
from server.traffic.history.leftover import Leftover
from server.traffic.history.writer import TrafficWriter
from server.traffic.traffic import Traffic


@dataclass(frozen=True)
class CountingParts:
    writer: TrafficWriter
    traffic: Traffic
    batches: BatchCounts
    history: TrafficHistory


def build_counting(data: DataDir, registry: Registry) -> CountingParts:
    writer = TrafficWriter(registry, Leftover(data.path / "traffic.waiting"))
    traffic = Traffic([writer.take])
    return CountingParts(writer, traffic, BatchCounts(traffic.add), TrafficHistory(registry, writer))
