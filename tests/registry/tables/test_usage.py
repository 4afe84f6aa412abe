"""Over both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.traffic.resolution import COARSEST, FINEST, RESOLUTIONS, Resolution
from core.usage import UsageSums
from registry.registry import Registry

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
SAMPLE = UsageSums(1, 10**11, 0.5, 1, 10**10, 1)


def add(registry: Registry, server: str, *minutes: int) -> None:
    with registry.transaction() as transaction:
        for minute in minutes:
            transaction.usage.add(server, NOON.timestamp() + 60 * minute + 5, SAMPLE)


def samples(registry: Registry, resolution: Resolution) -> list[tuple[int, int]]:
    """With when they begin, in minutes from noon."""
    begins = int(NOON.timestamp())
    with registry.transaction() as transaction:
        rows = list(transaction.usage.read(resolution, begins - 86_400, begins + 86_400))
    return [((at_s - begins) // 60, sums.samples) for at_s, sums in rows]


def test_samples_add_up_by_server_in_every_resolution(registry: Registry) -> None:
    add(registry, "one", 0, 1, 15)
    add(registry, "two", 1)
    assert samples(registry, FINEST) == [(0, 1), (1, 1), (1, 1), (15, 1)]
    assert sorted(samples(registry, RESOLUTIONS[1])) == [(0, 1), (0, 2), (15, 1)]
    begins = int(NOON.timestamp())
    with registry.transaction() as transaction:
        [_, of_one] = sorted(sums.samples for _, sums in transaction.usage.read(COARSEST, begins - 86_400, begins))
        [whole] = [
            sums for _, sums in transaction.usage.read(COARSEST, begins - 86_400, begins) if sums.samples == of_one
        ]
    assert whole == UsageSums(3, 3 * 10**11, 1.5, 3, 3 * 10**10, 3)


def test_what_is_old_is_forgotten_resolution_by_resolution(registry: Registry) -> None:
    add(registry, "one", 0)
    with registry.transaction() as transaction:
        transaction.usage.thin(NOON + timedelta(days=1))
    assert samples(registry, FINEST) == [(0, 1)]
    with registry.transaction() as transaction:
        transaction.usage.thin(NOON + timedelta(days=1, minutes=1))
    assert samples(registry, FINEST) == []
    assert samples(registry, RESOLUTIONS[1]) == [(0, 1)]
