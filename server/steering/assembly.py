"""Builds the parts by which people decide what is live."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from core.settings.settings import Settings
from loader.controller.on_demand import OnDemand
from loader.reconcile import Reconciler
from registry.event_log import EventLog
from registry.registry import Registry
from server.process.data_dir import DataDir
from server.steering.actions.steering import Steering
from server.steering.decisions.decided import Decided
from server.steering.decisions.registry_follower import RegistryFollower
from server.steering.decisions.start import Start
from server.steering.ledger.ledger import DeploymentLedger
from server.steering.releases.release_finder import ReleaseFinder
from server.steering.releases.rollback_targets import RollbackTargets

_SHARED_S = 0.5
"""Between two looks at a database to which other daemons may write: behind some poolers nothing is heard of that."""


@dataclass(frozen=True)
class SteeringParts:
    steering: Steering
    ledger: DeploymentLedger
    follow: Callable[[], Coroutine[Any, Any, None]]
    """Keeps up with the registry, for ever."""
    hasten: Callable[[], None]
    """Have it look soon: somebody may have decided something elsewhere."""
    known: Callable[[], Awaitable[None]]
    """Returns once it is known what people decided, or for now can't be."""


def build_steering(
    settings: Settings,
    data: DataDir,
    registry: Registry,
    event_log: EventLog,
    reconciler: Reconciler,
    finder: ReleaseFinder,
    on_demand: OnDemand,
    decided: Decided,
    ledger: DeploymentLedger,
) -> SteeringParts:
    known = reconciler.known
    pause_s = min(_SHARED_S, settings.sync_seconds) if settings.database_url else settings.sync_seconds
    follower = RegistryFollower(registry, decided, lambda: known.decided, reconciler.reconsider, pause_s)
    targets = RollbackTargets(registry, known.last_served, finder.recorded)
    steering = Steering(reconciler, event_log, follower, finder, targets, on_demand, ledger)
    has_registry = bool(settings.database_url) or (data.path / "registry.db").exists()
    start = Start(reconciler, follower, is_shared=bool(settings.database_url), has_registry=has_registry)
    return SteeringParts(steering, ledger, start.follow, follower.hasten, start.known)
