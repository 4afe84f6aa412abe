from __future__ import annotations

import pytest

from core.errors import NotTrained, PawlError, ReleaseFailed, ReleaseGone, VersionAmbiguous, VersionNotFound
from core.release import Wanted
from gateway.messages import Start, Table
from loader.controller.on_demand import OnDemand
from loader.workers.pool import Pool
from server.gateways.route_publisher import RoutePublisher
from server.gateways.version_starts import VersionStarts
from tests.loader.pools import run


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (VersionNotFound("no"), {"code": "version_not_found"}),
        (VersionAmbiguous("two", ("a", "b")), {"code": "version_ambiguous", "commits": ["a", "b"]}),
        (NotTrained("no", "running"), {"code": "not_trained", "run": "running"}),
        (NotTrained("no"), {"code": "not_trained", "run": "queued"}),
        (ReleaseGone("gone"), {"code": "artifact_gone"}),
        (ReleaseFailed("no", stage="load"), {"code": "not_live", "stage": "load"}),
    ],
)
def test_a_version_that_cannot_be_opened_is_refused_by_what_failed(
    failure: PawlError, error: dict[str, object]
) -> None:
    async def hand_out(table: Table) -> None:
        pass

    def resolve(model: str, name: str) -> Wanted:
        raise failure

    async def start(*_: object) -> Pool:
        raise AssertionError

    async def test() -> None:
        publisher = RoutePublisher(hand_out)
        opens = VersionStarts(OnDemand(resolve, start, publisher, 1), publisher)
        started = await opens.open(Start(ticket=7, model="Iris", version="v1"))
        assert (started.ticket, started.error) == (7, {"message": str(failure), **error})

    run(test())
