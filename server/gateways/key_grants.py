"""What gateways are told of keys, where models are asked with one."""

from __future__ import annotations

from collections.abc import Sequence

from core.keys import Key, Scope
from gateway.messages import KeyGrant
from server.gateways.route_publisher import RoutePublisher


class KeyGrants:
    """Goes with the route table, so that no request waits for a look-up."""

    def __init__(self, publisher: RoutePublisher, *, is_needed: bool) -> None:
        self._publisher = publisher
        self._is_needed = is_needed

    async def hand_out(self, keys: Sequence[Key]) -> None:
        """Return once every gateway knows these keys, and no others."""
        if self._is_needed:
            await self._publisher.set_keys({key.digest: grant(key) for key in keys})


def grant(key: Key) -> KeyGrant:
    return KeyGrant(
        id=key.id,
        predicts=key.may(Scope.PREDICT),
        models=key.models,
        rate=key.rate,
        expires=None if key.expires is None else key.expires.timestamp(),
    )
