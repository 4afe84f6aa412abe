"""The socket that clients connect to, and its address in words."""

from __future__ import annotations

import errno
import ipaddress
import socket
from typing import Any

from core.errors import PawlError

_BACKLOG = 2048
_ABSENT = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""The machine has no such address, like ::1 where IPv6 is off; another one of the same name may be there."""

Address = tuple[Any, ...]
"""As the socket module has it: host and port, and for IPv6 two numbers more."""


def listen(host: str, port: int, setting: str = "") -> socket.socket:
    """At `host`, a name or an address; at "::" for IPv4 too. Raises PawlError, which names HOST and PORT.

    `setting`: the one that says both.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return _first([(family, address) for family, *_, address in found])
    except (OSError, UnicodeError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        where, advice = f"HOST {host}, PORT {port}", _advice(error)
        if setting:
            where, advice = f"{setting} {host}:{port}", f"{setting} takes a free address of this machine"
        raise PawlError(f"can't listen on {where}: {why}; {advice}") from error


def url_of(host: str, port: int) -> str:
    """Where a client on this machine finds what listens at `host`."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f"http://{host}:{port}"
    if address.is_unspecified:
        address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")
    shown = str(address) if address.version == 4 else f"[{address}]".replace("%", "%25")
    return f"http://{shown}:{port}"


def _first(addresses: list[tuple[socket.AddressFamily, Address]]) -> socket.socket:
    """At the first of a name's addresses that the machine has."""
    for family, address in addresses[:-1]:
        try:
            return _at(family, address)
        except OSError as error:
            if error.errno not in _ABSENT:
                raise
    return _at(*addresses[-1])


def _at(family: socket.AddressFamily, address: Address) -> socket.socket:
    both = family == socket.AF_INET6 and address[0] == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(address, family=family, backlog=_BACKLOG, dualstack_ipv6=both)


def _advice(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "something else is there; another PORT may be free"
    if isinstance(error, PermissionError):
        return "PORT takes one of 1024 or more where you aren't root"
    return "HOST takes an address of this machine, such as 127.0.0.1, or 0.0.0.0 or :: for all of them"
