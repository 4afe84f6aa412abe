"""How often an address may try to sign in."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from core.token_bucket import TokenBucket

_AT_ONCE = 10
_PER_S = 10 / 60
"""Of failures: ten at once, and then ten a minute."""
_ADDRESSES = 1000
_ALL_AT_ONCE = 100
_ALL_PER_S = 100 / 60


class Attempts:
    """Counts those that failed, by address and together: whoever has many addresses is held back too."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._all = TokenBucket(_ALL_PER_S, now(), _ALL_AT_ONCE)
        self._by_address: OrderedDict[str, TokenBucket] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Seconds until the address may try again; 0: now."""
        now = self._now()
        own = self._by_address.get(address)
        return max(self._all.wait_s(now), 0.0 if own is None else own.wait_s(now))

    def failed(self, address: str) -> None:
        now = self._now()
        own = self._by_address.setdefault(address, TokenBucket(_PER_S, now, _AT_ONCE))
        self._by_address.move_to_end(address)
        while len(self._by_address) > _ADDRESSES:
            self._by_address.popitem(last=False)
        own.take(now)
        self._all.take(now)
