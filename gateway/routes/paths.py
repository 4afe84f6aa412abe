"""What a path that no target has stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from core.names import RESERVED


class Kind(Enum):
    HEALTH = auto()
    READY = auto()
    ALL = auto()
    MODEL = auto()
    DAEMON = auto()
    """Answered by the daemon."""
    NOTHING = auto()


@dataclass(frozen=True)
class Place:
    kind: Kind
    model: str = ""
    version: str = ""
    """As asked for; empty: the live one."""


_ROOT = {"/healthz": Kind.HEALTH, "/readyz": Kind.READY, "/metrics": Kind.DAEMON}
_VERSION = re.compile(r"v[1-9][0-9]{0,8}|[0-9a-f]{7,40}")


def find_place(base: str, path: str) -> Place:
    """The place of `path` under `base` ("" or "/one" or "/one/two")."""
    if kind := _ROOT.get(path):
        return Place(kind)
    if path == base:
        return Place(Kind.DAEMON)
    if not path.startswith(base + "/"):
        return Place(Kind.NOTHING)
    return _place_under_base(path[len(base) + 1 :])


def may_be_version(name: str) -> bool:
    """Whether a version could be called that: `vN` or a commit prefix."""
    return bool(_VERSION.fullmatch(name))


def _place_under_base(rest: str) -> Place:
    first, *others = rest.removesuffix("/").split("/")
    if first == "all":
        return Place(Kind.NOTHING if others else Kind.ALL)
    if first in ("", "-") or first in RESERVED:
        return Place(Kind.DAEMON)
    if len(others) > 1 or "" in others:
        return Place(Kind.NOTHING)
    return Place(Kind.MODEL, first, *others)
