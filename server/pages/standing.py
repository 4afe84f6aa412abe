"""How models stand by the registry, as far as that can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from core.steering import Pin
from registry.errors import RegistryUnavailable
from registry.registry import Registry

if TYPE_CHECKING:
    from registry.transaction import Transaction

_REGISTRY_S = 2.0


@dataclass(frozen=True)
class Standing:
    """Empty while the registry is away."""

    pins: Mapping[str, Pin] = field(default_factory=dict)
    """By model."""
    live_since: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    """By model and release, of those that are live: the ledger's, which a restart doesn't change."""


async def read_standing(registry: Registry) -> Standing:
    try:
        return await registry.perform(_read, _REGISTRY_S)
    except RegistryUnavailable:
        return Standing()


def _read(transaction: Transaction) -> Standing:
    return Standing(transaction.pins.all(), transaction.deployments.live_since())
