"""How git would reach a web server: by its configuration for that address, and by the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


@dataclass(frozen=True)
class Reach:
    """What it takes to talk to a web server."""

    verifies: bool = True
    """Whether its certificate must be one that we trust."""
    authorities: str = ""
    """A file of those that are trusted; empty: the system's."""
    authorities_folder: str = ""
    certificate: str = ""
    """A file of ours, for servers that ask for one; the key may be in it."""
    key: str = ""
    proxy: str = field(default="", repr=False)
    """Its address; empty: none."""
    header: str = field(default="", repr=False)
    """To be sent to the repository's own host, as `Name: value`."""


def reach(url: str, configured: Mapping[str, str]) -> Reach:
    """`configured`: git's settings for the address, by their names in lower case (`http.proxy`)."""
    parts = urlsplit(url)
    proxy = _proxy(parts.scheme, parts.hostname or "", configured.get("http.proxy"))
    header = configured.get("http.extraheader", "")
    if parts.scheme != "https" and not proxy.lower().startswith("https:"):
        return Reach(proxy=proxy, header=header)

    def file(setting: str, variable: str) -> str:
        return os.environ.get(variable, os.path.expanduser(configured.get(setting, "")))

    return Reach(
        "GIT_SSL_NO_VERIFY" not in os.environ and configured.get("http.sslverify", "").lower() not in _NO,
        file("http.sslcainfo", "GIT_SSL_CAINFO"),
        file("http.sslcapath", "GIT_SSL_CAPATH"),
        file("http.sslcert", "GIT_SSL_CERT"),
        file("http.sslkey", "GIT_SSL_KEY"),
        proxy,
        header,
    )


_NO = frozenset({"false", "no", "off", "0"})


def _proxy(scheme: str, host: str, configured: str | None) -> str:
    """An empty setting means none; without the setting, the variables count that most programs obey."""
    found = getproxies()
    proxy = found.get(scheme, found.get("all", "")) if configured is None else configured
    if not proxy or proxy_bypass(host):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"
