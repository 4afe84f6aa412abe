"""Which requests a key lets through, and how many."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping

from core.token_bucket import TokenBucket
from gateway.http.headers import Fields
from gateway.http.refusals import Refused, refuse, shorten
from gateway.messages import KeyGrant

_MOST_SHOWN = 2000
"""Each key is written in one or two ways."""
_CHALLENGE = (b"www-authenticate", b"Bearer")
_REQUIRED = "a model is asked with a key here: send one as 'Authorization: Bearer pawl_…'"
_INVALID = "the key is not valid: it may have expired, or been revoked, or is not whole"


class Caller:
    """Whoever shows one key."""

    __slots__ = ("bucket", "expires", "grant", "models")

    def __init__(self, grant: KeyGrant, bucket: TokenBucket | None) -> None:
        self.grant = grant
        self.bucket = bucket
        self.expires = math.inf if grant.expires is None else grant.expires
        self.models = None if grant.models is None else frozenset(grant.models)


class Callers:
    """Those of one route table, by the SHA-256 of their keys."""

    def __init__(
        self,
        grants: Mapping[str, KeyGrant],
        before: Callers | None = None,
        *,
        now: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`before`: those of the table before, whose rates are used up as far as they are."""
        self._now = now
        self._clock = clock
        self._buckets: dict[str, TokenBucket] = {
            grant.id: self._bucket(grant.rate, None if before is None else before._buckets.get(grant.id))
            for grant in grants.values()
            if grant.rate is not None
        }
        self._shown: dict[bytes, Caller] = {}
        """Headers that showed a valid key."""
        self._by_digest = {
            bytes.fromhex(digest): Caller(grant, self._buckets.get(grant.id)) for digest, grant in grants.items()
        }

    def admit(self, fields: Fields, model: str | None) -> Caller:
        """Who asks `model`, or all of them. Raises Refused."""
        shown = fields.get(b"authorization", b"")
        caller = self._shown.get(shown) or self._find(shown)
        if caller is None or caller.expires <= self._clock():
            raise refuse("key_required", _INVALID if b" " in shown else _REQUIRED, _CHALLENGE)
        if not caller.grant.predicts:
            raise refuse("key_forbidden", "models are asked with a key of scope predict, and this one has others")
        if model is not None and caller.models is not None and model not in caller.models:
            raise refuse("key_forbidden", f"the key does not cover {shorten(model)}")
        if caller.bucket is not None and (wait_s := caller.bucket.take(self._now())):
            raise _limited(caller.grant, wait_s)
        return caller

    def _find(self, shown: bytes) -> Caller | None:
        """By the digest of the key; whoever shows it again is known by what he shows, which takes a tenth as long."""
        scheme, _, key = shown.partition(b" ")
        caller = self._by_digest.get(hashlib.sha256(key.strip()).digest()) if scheme.lower() == b"bearer" else None
        if caller is not None and len(self._shown) < _MOST_SHOWN:
            self._shown[shown] = caller
        return caller

    def _bucket(self, rate: float, before: TokenBucket | None) -> TokenBucket:
        return before if before is not None and before.rate == rate else TokenBucket(rate, self._now())


def _limited(grant: KeyGrant, wait_s: float) -> Refused:
    again = (b"retry-after", b"%d" % max(1, math.ceil(wait_s)))
    return refuse(
        "rate_limited", f"the key may ask {grant.rate:g} times a second at each gateway, and did; try again", again
    )
