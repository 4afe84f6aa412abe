"""Where things are, as the client sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.requests import Request

_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


@dataclass(frozen=True)
class Links:
    """The beginnings of links."""

    prefix: str
    """What a proxy takes off the path: "" or "/one/two"."""
    base: str
    """Path under which everything is, for links in pages."""
    origin: str
    """`https://host:port`; empty where the client did not say."""

    @property
    def url(self) -> str:
        return self.origin + self.base


def links(request: Request, base: str) -> Links:
    """From the headers, which anyone may send: what is not a plain path or host in them counts as not sent."""
    prefix = request.headers.get("x-forwarded-prefix", "").rstrip("/")
    prefix = prefix if _PREFIX.fullmatch(prefix) else ""
    host = request.headers.get("x-forwarded-host") or request.headers.get("host", "")
    scheme = "https" if request.headers.get("x-forwarded-proto") == "https" else "http"
    return Links(prefix, prefix + base, f"{scheme}://{host}" if _HOST.fullmatch(host) else "")
