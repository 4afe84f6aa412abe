"""Whether a program of this machine asks, on its own behalf."""

from __future__ import annotations

import ipaddress
import re

from starlette.datastructures import Headers

_HOST = re.compile(r"\[([^]]*)\](?::\d*)?|([^:]*)(?::\d*)?")
_OF_PROXIES = ("forwarded", "via", "x-real-ip")
"""What a proxy adds besides the headers that are looked into (RFC 7239; RFC 9110, section 7.6.3)."""


def comes_from_here(headers: Headers) -> bool:
    """Whether a program of this machine asked, on its own behalf.

    A page from anywhere can have a browser ask us under a name of its own that leads to 127.0.0.1 (DNS rebinding), and
    a proxy on this machine asks for whoever asked it; the name, and what a proxy adds, tell.
    """
    if any(name in headers for name in _OF_PROXIES):
        return False
    asked = [headers.get("host", ""), *headers.getlist("x-forwarded-host")]
    told = ",".join(headers.getlist("x-forwarded-for"))
    clients = [client.strip() for client in told.split(",") if client.strip()]
    return all(is_loopback(_name(host)) for host in asked) and all(map(is_loopback, clients))


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _name(host: str) -> str:
    """Of a Host header: what stands before the port."""
    found = _HOST.fullmatch(host)
    return "" if found is None else found[1] or found[2] or ""
