"""The machine and what depends on it, as numbers with what they are measured against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.runs.states import RunState
from server.pages.dashboard.overview.overview import Stat
from server.pages.layout import units
from server.pages.layout.chips import Chip
from server.pages.layout.moments import duration
from server.traffic.gpus import Gpu
from server.traffic.system import GatewayProcess, System


@dataclass(frozen=True)
class GatewayRow:
    pid: str
    chip: Chip
    memory: str
    cpu: str
    heard: str


def machine(system: System, models: int, runs: Mapping[RunState, int]) -> tuple[Stat, ...]:
    serving = sum(gateway.serves for gateway in system.gateways)
    going = runs.get(RunState.RUNNING, 0) + runs.get(RunState.EVALUATING, 0) + runs.get(RunState.PENDING, 0)
    age, memory, database = system.sync_age_s, system.memory, system.database
    stats = [
        Stat("Sync age", units.DASH if age is None else duration(age), "since the source was read"),
        Stat("Gateways", f"{serving} of {len(system.gateways)}", "have a route table"),
        Stat("Workers", str(system.workers), f"of {models} model{'' if models == 1 else 's'}"),
        Stat("Memory", units.size(memory.used_bytes), f"of {units.size(memory.limit_bytes)}"),
        Stat("Load", f"{system.cpu.load:g}", f"of {system.cpu.processors} processors"),
        Stat("Runs", str(going), f"going on, {runs.get(RunState.QUEUED, 0)} queued"),
        Stat("Database", units.size(database.size_bytes), database.kind if database.reachable else "is away"),
        Stat("Up", duration(system.uptime_s), "since the server started"),
    ]
    return (*stats, *map(_gpu, system.gpus))


def _gpu(gpu: Gpu) -> Stat:
    return Stat(f"GPU {gpu.index}", units.size(gpu.memory_used_bytes), f"of {units.size(gpu.memory_bytes)}")


def gateway_row(gateway: GatewayProcess) -> GatewayRow:
    chip = Chip("good", "check", "serving") if gateway.serves else Chip("info", "going", "starting")
    return GatewayRow(
        pid=str(gateway.pid),
        chip=chip,
        memory=units.size(gateway.memory_bytes),
        cpu=f"{gateway.cpu_s:.1f} s",
        heard=f"{duration(gateway.heard_s_ago)} ago",
    )
