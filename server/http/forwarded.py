"""What gateways and proxies tell of the client. Anyone may send these headers: they name nobody for sure."""

from __future__ import annotations

import re

from starlette.requests import Request

_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_LONGEST = 200


def addresses(request: Request) -> str:
    """The client's address, as the gateway forwards it, behind those that proxies before the gateway told."""
    return ", ".join(request.headers.getlist("x-forwarded-for"))[-_LONGEST:]


def prefix(request: Request) -> str:
    """What a proxy takes off the path: "" or "/one/two"; what is not a plain path counts as not sent."""
    told = request.headers.get("x-forwarded-prefix", "").rstrip("/")
    return told if _PREFIX.fullmatch(told) else ""


def is_https(request: Request) -> bool:
    """Whether the browser speaks https with whoever is in front."""
    return request.headers.get("x-forwarded-proto", "").split(",")[0].strip().lower() == "https"
