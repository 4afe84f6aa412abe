"""What the server takes of the machine, and what it depends on, as one value."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from core.process.resources import memory, processors
from loader.workers.pool import Pool
from registry.errors import RegistryUnavailable
from registry.registry import Registry
from server.gateways.gateway import Gateway
from server.process.usage import cpu_seconds
from server.traffic.gpus import Gpu, gpus
from server.traffic.taken import Taken
from worker.wire.memory import private_memory

if TYPE_CHECKING:
    from registry.transaction import Transaction

_DATABASE_S = 2.0


class Process(msgspec.Struct, frozen=True, kw_only=True):
    pid: int
    memory_bytes: int
    """What is its alone."""
    cpu_s: float
    """Seconds that it has computed."""


class GatewayProcess(Process, frozen=True, kw_only=True):
    serves: bool
    """Whether it has taken a route table yet."""
    heard_s_ago: float


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes."""

    limit_bytes: int
    """Of the container or, without a limit, of the machine."""
    used_bytes: int
    daemon_bytes: int
    gateways_bytes: int
    workers_bytes: int


class Cpu(msgspec.Struct, frozen=True, kw_only=True):
    processors: int
    """That may be used."""
    load: float
    """Processes of the machine that want to compute, on the average of a minute."""
    daemon_s: float
    gateways_s: float
    workers_s: float


class DatabaseState(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    """`sqlite` or `postgresql`."""
    reachable: bool
    problem: str | None
    size_bytes: int | None


class System(msgspec.Struct, frozen=True, kw_only=True):
    ready: bool
    uptime_s: float
    models_url: str | None
    """Where models are asked; None: where this is."""
    source: str
    problem: str | None
    """What keeps the source from being read."""
    sync_age_s: float | None
    """Since it could last be read; None: not since the start."""
    gateways: list[GatewayProcess]
    workers: int
    memory: Memory
    cpu: Cpu
    gpus: list[Gpu]
    database: DatabaseState


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """How it stands with what is followed."""

    ready: bool
    source: str
    problem: str | None
    seen_at: float | None
    """When it could last be read, in `time.monotonic()`."""

    @property
    def age_s(self) -> float | None:
        return None if self.seen_at is None else max(0.0, time.monotonic() - self.seen_at)


class SystemReader:
    """Looks at the machine when asked."""

    def __init__(
        self,
        *,
        followed: Callable[[], Followed],
        gateways: Callable[[], Iterable[Gateway]],
        pools: Callable[[], Iterable[Pool]],
        registry: Registry,
        database_url: str,
        models_url: str = "",
    ) -> None:
        """`models_url`: where models are asked, if elsewhere than the admin API."""
        self._followed = followed
        self._gateways = gateways
        self._pools = pools
        self._registry = registry
        self._kind = "sqlite" if database_url.startswith("sqlite") else "postgresql"
        self._models_url = models_url or None
        self._began = time.monotonic()

    def followed(self) -> Followed:
        return self._followed()

    def gateways(self) -> list[GatewayProcess]:
        now = time.monotonic()
        return [
            GatewayProcess(
                pid=gateway.process.pid,
                memory_bytes=private_memory(gateway.process.pid),
                cpu_s=cpu_seconds(gateway.process.pid),
                serves=gateway.acknowledged >= 0,
                heard_s_ago=round(now - gateway.heard, 3),
            )
            for gateway in sorted(self._gateways(), key=lambda gateway: gateway.process.pid)
        ]

    def taken(self) -> Taken:
        """What its processes have taken so far."""
        workers = [worker.pid for pool in self._pools() for worker in pool.processes if worker.running]
        ours = [os.getpid(), *(gateway.process.pid for gateway in self._gateways()), *workers]
        found = gpus()
        return Taken(
            cpu_s=sum(map(cpu_seconds, ours)),
            memory_bytes=sum(map(private_memory, ours)),
            gpu_memory_bytes=sum(gpu.memory_used_bytes for gpu in found) if found else None,
        )

    async def read(self) -> System:
        followed, found, pools = self._followed(), self.gateways(), list(self._pools())
        workers = [worker for pool in pools for worker in pool.processes]
        pids = [worker.pid for worker in workers if worker.running]
        now = memory()
        return System(
            ready=followed.ready,
            uptime_s=round(time.monotonic() - self._began, 3),
            models_url=self._models_url,
            source=followed.source,
            problem=followed.problem,
            sync_age_s=None if followed.age_s is None else round(followed.age_s, 3),
            gateways=found,
            workers=len(pids),
            memory=Memory(
                limit_bytes=now.limit,
                used_bytes=now.used,
                daemon_bytes=private_memory(os.getpid()),
                gateways_bytes=sum(gateway.memory_bytes for gateway in found),
                workers_bytes=sum(map(private_memory, pids)),
            ),
            cpu=Cpu(
                processors=processors(),
                load=round(os.getloadavg()[0], 2),
                daemon_s=cpu_seconds(os.getpid()),
                gateways_s=round(sum(gateway.cpu_s for gateway in found), 2),
                workers_s=round(sum(map(cpu_seconds, pids)), 2),
            ),
            gpus=gpus(),
            database=await self._database(),
        )

    async def _database(self) -> DatabaseState:
        def size(transaction: Transaction) -> int:
            return transaction.size_bytes()

        try:
            found = await self._registry.perform(size, _DATABASE_S)
        except RegistryUnavailable as error:
            return DatabaseState(kind=self._kind, reachable=False, problem=str(error), size_bytes=None)
        return DatabaseState(kind=self._kind, reachable=True, problem=None, size_bytes=found)
