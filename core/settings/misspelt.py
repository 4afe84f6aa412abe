"""Variables that were meant for Pawl and do not count: unknown ones with its prefix, and second spellings of others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from core.settings.reading import DEFAULTS, plain_name
from core.settings.settings import Settings

_PREFIX = "PAWL_"
_ALIKE = 0.75
_OTHERS = (DEFAULTS, "PAWL_SERVER", "PAWL_TOKEN", "PAWL_DAEMON")
"""Of the image, of the command line, and the daemon's mark on its processes."""
_NAMES = {plain_name(name): name for name in (*(_PREFIX + f.upper() for f in Settings.__struct_fields__), *_OTHERS)}
_SERVICE = re.compile(
    r"PAWL_(.+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)", re.ASCII
)
_SERVICE_PORT = re.compile(r"PAWL_(.+_)?PORT=(tcp|udp|sctp)://.*", re.ASCII)
"""What Kubernetes gives every pod beside a Service named `pawl` or `pawl-…`:
https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables"""


def misspelt(environ: Mapping[str, str]) -> list[str]:
    """A line for each, without its value, which may be a secret."""
    return [_told(name) for name in sorted(_unknown(environ))] + sorted(_spelt_twice(environ))


def _spelt_twice(environ: Mapping[str, str]) -> Iterable[str]:
    used: dict[str, str] = {}
    fields = {plain_name(field) for field in Settings.__struct_fields__}
    for name, value in environ.items():
        plain = plain_name(name)
        if value and plain.removeprefix(plain_name(_PREFIX)) in fields:
            first = used.setdefault(plain, name)
            if environ[first] != value:
                yield f"{first} and {name} are one setting and hold different values; that of {first} counts"


def _unknown(environ: Mapping[str, str]) -> Iterable[str]:
    for name, value in environ.items():
        is_ours = name.upper().startswith(_PREFIX) and plain_name(name) not in _NAMES
        if is_ours and not (_SERVICE.fullmatch(name) or _SERVICE_PORT.fullmatch(f"{name}={value}")):
            yield name


def _told(name: str) -> str:
    near = get_close_matches(plain_name(name), _NAMES, n=1, cutoff=_ALIKE)
    advice = f"did you mean {_NAMES[near[0]]}?" if near else "env.example lists all settings"
    return f"the variable {name} is not a setting of Pawl and is ignored; {advice}"
