"""What a model was live with before, for a rollback that names no version."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence, Set

from core.release import Served
from core.steering import Deployment
from registry.registry import Registry
from server.steering.decisions.decided import Find, Named

_MOST = 200


class RollbackTargets:
    """What this server remembers comes first, then what the ledger says."""

    def __init__(self, registry: Registry, last_served: Callable[[], Sequence[Served]], find: Find) -> None:
        self._registry = registry
        self._last_served = last_served
        self._find = find

    async def newest(self, live: Served, rejected: Set[str]) -> Served | None:
        """The newest that was live before and is not rejected. Raises RegistryUnavailable."""
        model, passed_over = live.release.model, {live.release.id, *rejected}
        for served in self._last_served():
            if served.release.model == model and served.release.id not in passed_over:
                return served
        ledger = await self._registry.perform(lambda transaction: transaction.deployments.listed(model, limit=_MOST))
        named = list(dict.fromkeys(map(_named, ledger[0])))
        return await asyncio.to_thread(self._first, [one for one in named if one.release not in passed_over])

    def _first(self, named: Sequence[Named]) -> Served | None:
        return next((served for one in named if (served := self._find(one)) is not None), None)


def _named(one: Deployment) -> Named:
    return Named(one.model, one.release, one.version, one.commit, one.run)
