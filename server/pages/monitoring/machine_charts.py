"""Charts of what the server takes of the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from server.pages.layout import units
from server.pages.monitoring.axis import Axis, axis_of
from server.pages.monitoring.chart import Chart, Value, chart
from server.traffic.history.history import Stretch
from server.traffic.usage import Usage


def machine_charts(history: Stretch, usage: Iterable[Usage], axis: Axis | None = None) -> tuple[Chart, ...]:
    """At the same steps as the others; none of what was not measured in any of them. `axis`: if it is made already."""
    slots, axis = _slots(history, usage), axis or axis_of(history)
    found = ((shown, _means(slots, shown.of)) for shown in _SHOWN)
    return tuple(
        chart(axis, shown.name, shown.title, shown.unit, [(shown.label, "l", False, values)])
        for shown, values in found
        if any(value is not None for value in values)
    )


def _cores(value: Value) -> str:
    return units.DASH if value is None else f"{value:.2f}" if value >= 0.1 or not value else f"{value:.2g}"


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


def _slots(history: Stretch, usage: Iterable[Usage]) -> list[list[Usage]]:
    """What was measured in each step."""
    first, step_s = history.begins.timestamp(), history.step_s
    found: list[list[Usage]] = [[] for _ in history.points]
    for one in usage:
        place = int((one.at - first) // step_s)
        if 0 <= place < len(found):
            found[place].append(one)
    return found


def _means(slots: list[list[Usage]], of: Callable[[Usage], Value]) -> tuple[Value, ...]:
    measured = ([value for one in slot if (value := of(one)) is not None] for slot in slots)
    return tuple(round(sum(values) / len(values), 3) if values else None for values in measured)
