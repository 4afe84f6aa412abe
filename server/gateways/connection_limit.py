"""How many connections a gateway may take under the limit on open files (RLIMIT_NOFILE)."""

from __future__ import annotations

import logging
import resource

from gateway.http.limits import Limits

log = logging.getLogger("pawl.gateway")

_OTHERS = 1000
"""Descriptors that a gateway needs beside its clients': one for each worker and for each request that it passes to the
daemon. Without them it could take no new table, and no release would go live."""


def allowed_connections() -> int:
    """The usual number, or what the limit has room for; where that is far less, the log says so."""
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)  # a gateway raises its own to the hard one
    allowed = Limits.connections if limit == resource.RLIM_INFINITY else connections_within(limit)
    if allowed < Limits.connections // 2:
        log.warning(
            "a process may have %d files open (RLIMIT_NOFILE), so each gateway takes %d connections at most, not %d; "
            "a hard limit of %d is enough",
            *(limit, allowed, Limits.connections, Limits.connections + _OTHERS),
        )
    return allowed


def connections_within(limit: int) -> int:
    """Connections that `limit` descriptors allow: at least one, and half of them where they are few."""
    return max(1, min(Limits.connections, limit - min(_OTHERS, limit // 2)))
