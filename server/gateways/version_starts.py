"""Gateways ask for versions that they have no route to; here such a one is opened, or refused as HTTP refuses."""

from __future__ import annotations

import asyncio
import logging

from core.errors import NotTrained, PawlError, ReleaseFailed, ReleaseGone, VersionAmbiguous, VersionNotFound
from gateway.messages import Start, Started
from loader.controller.on_demand import OnDemand, TooManyVersions
from server.gateways.route_publisher import RoutePublisher

log = logging.getLogger("pawl")


class VersionStarts:
    """Answers `Start` messages."""

    def __init__(self, on_demand: OnDemand, publisher: RoutePublisher) -> None:
        self._on_demand = on_demand
        self._publisher = publisher

    def open(self, start: Start) -> asyncio.Future[Started]:
        return asyncio.ensure_future(self._open(start))

    async def _open(self, start: Start) -> Started:
        try:
            await self._on_demand.open(start.model, start.version, lambda: self._publisher.live.get(start.model))
        except PawlError as failure:
            return _refusal(start, failure)
        except Exception:
            log.exception("%s/%s could not be opened: a failure of Pawl's own", start.model, start.version)
            return _refusal(start, PawlError("Pawl itself failed; its log says more"))
        return Started(ticket=start.ticket)


def _refusal(start: Start, failure: PawlError) -> Started:
    code = "internal"
    more: dict[str, object] = {}
    match failure:
        case VersionAmbiguous(commits=commits):
            code, more = "version_ambiguous", {"commits": list(commits)}
        case VersionNotFound():
            code = "version_not_found"
        case TooManyVersions():
            code = "too_many_versions"
        case NotTrained(run=run):
            code, more = "not_trained", {"run": run or "queued"}
        case ReleaseGone():
            code = "artifact_gone"
        case ReleaseFailed(stage=stage):
            code, more = "not_live", {"stage": stage}
    return Started(ticket=start.ticket, error={"code": code, "message": str(failure), **more})
