"""The route of the page of charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import PawlError
from core.paths import PAGE_MONITORING
from core.runs.states import RunState
from core.traffic.bucket import Stage
from registry.event_filter import EventFilter
from registry.event_log import EventLog
from server.http import parameters
from server.http.access import Access
from server.pages.events.lines import line
from server.pages.layout.address import address, addresses
from server.pages.layout.renderer import Renderer
from server.pages.monitoring.axis import axis_of
from server.pages.monitoring.machine import gateway_row, machine
from server.pages.monitoring.machine_charts import machine_charts
from server.pages.monitoring.ranges import PRESETS, chosen, step_text
from server.pages.monitoring.swaps import MOST, are_too_many, swap_lines
from server.pages.monitoring.traffic_charts import traffic_charts, whole_steps
from server.traffic.history.history import Stretch, TrafficHistory
from server.traffic.history.steps import Steps, choose_steps
from server.traffic.system import SystemReader
from server.traffic.usage import UsageHistory

_EVENTS = 8
_STAGES = {
    Stage.API: "api: at the model's own path",
    Stage.VERSION: "version: asked for by name",
    Stage.TEST: "test: examples, and forms of pages",
}
"""Those of which there is something to count."""


class MonitoringPages:
    """`{base}/-/monitoring`; range and filters are in the address."""

    def __init__(
        self,
        access: Access,
        renderer: Renderer,
        models: Callable[[], Sequence[str]],
        history: TrafficHistory,
        system: SystemReader,
        usage: UsageHistory,
        event_log: EventLog,
        runs: Callable[[], Mapping[RunState, int]],
    ) -> None:
        """`models`: those that are followed. `runs`: how many there are of each state."""
        self._access = access
        self._renderer = renderer
        self._models = models
        self._history = history
        self._system = system
        self._usage = usage
        self._event_log = event_log
        self._runs = runs

    def routes(self) -> list[Route]:
        return [Route(PAGE_MONITORING.template, self._access.reading(self.monitoring))]

    async def monitoring(self, request: Request) -> Response:
        query, now = request.query_params, datetime.now(UTC)
        model, version = query.get("model", ""), query.get("version", "").strip() if query.get("model") else ""
        stage = parameters.one_of(query, "stage", list(Stage)) or ""
        given = {name: query.get(name, "") for name in ("from", "to")}
        preset = parameters.one_of(query, "range", list(PRESETS)) or ""
        shown = chosen(preset, *parameters.stretch(query, now), now)
        present = {"range": shown.preset, "model": model, "version": version, "stage": stage, **given}
        models, system = self._models(), await self._system.read()
        values: dict[str, object] = {
            "presets": [(name, label) for name, (label, _) in PRESETS.items()],
            "shown": shown,
            "chosen": present,
            "stages": _STAGES,
            "models": models,
            "address": addresses(present),
            "stats": machine(system, len(models), self._runs()),
            "gateways": [gateway_row(gateway) for gateway in system.gateways],
            "lines": [
                line(event, now)
                for event in self._event_log.kept.newest(EventFilter(model=model or None), most=_EVENTS)
            ],
            "twin": address(**{"from": shown.begins.isoformat(timespec="seconds"), "stage": stage}),
            "charts": (),
            "axis": "",
            "swaps": (),
            "unmarked": 0,
            "step": "",
            "problem": "",
        }
        try:
            found, waits = await self._history.observe(
                model, version, shown.begins, shown.ends, None, Stage(stage) if stage else None
            )
            whole, usage = whole_steps(found, now), await self._usage.read(_steps(found, now))
            axis = axis_of(whole)
            values |= {
                "charts": (*traffic_charts(whole, waits, axis), *machine_charts(whole, usage, axis)),
                "axis": axis.data,
                "swaps": swap_lines(found),
                "unmarked": MOST if are_too_many(found.swaps) else 0,
                "step": step_text(found.step_s),
            }
        except PawlError as error:
            values["problem"] = str(error)
        return self._renderer.render(request, "monitoring.html", values, here="monitoring")


def _steps(history: Stretch, now: datetime) -> Steps:
    return choose_steps(history.begins.timestamp(), history.ends.timestamp(), history.step_s, now.timestamp())
