"""Charts of what the server takes of the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from server.pages.layout import units
from server.pages.monitoring.axis import axis_of
from server.pages.monitoring.charts import Chart, Value, chart
from server.traffic.history.history import Stretch
from server.traffic.usage import Usage


def machine_charts(history: Stretch, usage: Iterable[Usage]) -> tuple[Chart, ...]:
    """At the same steps as the others; none of what was not measured in any of them."""
    axis, known = axis_of(history), list(usage)
    found = ((shown, _means(history, known, shown.of)) for shown in _SHOWN)
    return tuple(
        chart(axis, shown.name, shown.title, shown.unit, [(shown.label, "l", False, values)])
        for shown, values in found
        if any(value is not None for value in values)
    )


def _cores(value: Value) -> str:
    return units.DASH if value is None else f"{value:.2f}"


class _Shown(NamedTuple):
    name: str
    title: str
    label: str
    unit: Callable[[Value], str]
    of: Callable[[Usage], Value]


_SHOWN = (
    _Shown("cpu", "Processors", "busy", _cores, lambda one: one.cores),
    _Shown("memory", "Memory", "used", units.size, lambda one: one.memory_bytes),
    _Shown("gpu", "Memory of GPUs", "used", units.size, lambda one: one.gpu_memory_bytes),
)


def _means(history: Stretch, usage: list[Usage], of: Callable[[Usage], Value]) -> tuple[Value, ...]:
    first, step_s = history.begins.timestamp(), history.step_s
    found: list[list[float]] = [[] for _ in history.points]
    for one in usage:
        place, value = int((one.at - first) // step_s), of(one)
        if 0 <= place < len(found) and value is not None:
            found[place].append(value)
    return tuple(round(sum(values) / len(values), 3) if values else None for values in found)
