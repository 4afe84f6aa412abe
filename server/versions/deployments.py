"""What was live when, out of the registry's ledger."""

from __future__ import annotations

from datetime import datetime

from core.steering import Deployment
from registry.registry import Registry
from server.versions.views import DeploymentList, DeploymentView


class Deployments:
    """For pages and for the API."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def listed(
        self, model: str, limit: int = 100, cursor: str | None = None, at: datetime | None = None
    ) -> DeploymentList:
        """The newest first; `at`: what was live at that moment. Raises RegistryUnavailable."""
        before = None if cursor is None else int(cursor)
        found, following = await self._registry.perform(
            lambda transaction: transaction.deployments.listed(model, at=at, limit=limit, cursor=before)
        )
        return DeploymentList(items=list(map(_view, found)), next=None if following is None else str(following))


def _view(deployment: Deployment) -> DeploymentView:
    return DeploymentView(
        version=deployment.version,
        commit=deployment.commit,
        run=deployment.run or None,
        release=deployment.release,
        began_at=deployment.began_at,
        ended_at=deployment.ended_at,
        cause=deployment.cause.value,
        actor=deployment.actor,
        reason=deployment.reason,
    )
