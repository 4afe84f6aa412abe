"""The pins of models, as far as the registry can be asked."""

from __future__ import annotations

from collections.abc import Mapping

from core.steering import Pin
from registry.errors import RegistryUnavailable
from registry.registry import Registry

_REGISTRY_S = 2.0


async def read_pins(registry: Registry) -> Mapping[str, Pin]:
    """By model."""
    try:
        return await registry.perform(lambda transaction: transaction.pins.all(), _REGISTRY_S)
    except RegistryUnavailable:
        return {}
