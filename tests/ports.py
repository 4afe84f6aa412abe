"""Ports to be named before somebody listens at them."""

from __future__ import annotations

import random
import socket

_NAMED = range(20_000, 30_000)
"""By default, Linux gives none of them to those that ask for any (`net.ipv4.ip_local_port_range`)."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has, nor gets by chance."""
    for port in random.sample(_NAMED, len(_NAMED)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no port of {_NAMED} is free")
