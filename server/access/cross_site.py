"""Whether a request may have been sent by a page of another site, in the name of somebody who is signed in here (CSRF).

Sources: Fetch Metadata (https://www.w3.org/TR/fetch-metadata/), the Origin header (https://fetch.spec.whatwg.org).
Browsers send the first on https and to this machine alone, and the second with whatever may change something.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = frozenset({"same-origin", "none"})
_PORTS = {"http": ":80", "https": ":443"}


def is_cross_site(method: str, headers: Mapping[str, str], *, shows_cookie: bool) -> bool:
    """Whether the request is refused. `headers` match without regard to case.

    `shows_cookie`: whether a cookie says who asks, which a browser sends whoever wrote the page.
    """
    if method in SAFE:
        return False
    if (site := headers.get("sec-fetch-site")) is not None:
        return site not in _OURS
    if (origin := headers.get("origin")) is not None:
        return not _is_host(origin, headers.get("host", ""))
    return shows_cookie


def _is_host(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    port = _PORTS.get(parts.scheme)
    if port is None or not parts.netloc or not host:
        return False
    return parts.netloc.lower().removesuffix(port) == host.lower().removesuffix(port)
