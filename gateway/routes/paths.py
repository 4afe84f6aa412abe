"""What a path stands for that the route table has no target for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.paths import API_MODEL, PAGE_UPLOAD, PATHS, RESERVED, Kind


@dataclass(frozen=True)
class Place:
    kind: Kind
    model: str = ""
    version: str = ""
    """As asked for; empty: the live one."""


_BESIDE_BASE = {path.template: path.kind for path in PATHS if path.is_beside_base and path.kind is not Kind.NOTHING}
_EXACT = {path.template[1:]: path.kind for path in PATHS if path.kind is Kind.ALL}
_FIRST = RESERVED | {path.first for path in PATHS if path.kind is Kind.DAEMON}
"""What a path begins with that the daemon knows, or knows to be nothing."""


def find_place(base: str, path: str) -> Place:
    """The place of `path` under `base` ("" or "/one" or "/one/two")."""
    if kind := _BESIDE_BASE.get(path):
        return Place(kind)
    if path == base:
        return Place(Kind.DAEMON)
    if not path.startswith(base + "/"):
        return Place(Kind.NOTHING)
    return _place_under_base(path[len(base) + 1 :])


def takes_upload(base: str, method: bytes, path: str) -> bool:
    """Whether the daemon takes a body there that need not fit into memory."""
    template = _UPLOADS.get(method)
    return template is not None and path.startswith(base) and template.fullmatch(path[len(base) :]) is not None


_UPLOADS = {b"PUT": re.compile(API_MODEL.of("[^/]+")), b"POST": re.compile(PAGE_UPLOAD.template)}


def _place_under_base(rest: str) -> Place:
    first, *others = rest.removesuffix("/").split("/")
    if kind := _EXACT.get(first):
        return Place(Kind.NOTHING if others else kind)
    if first in _FIRST:
        return Place(Kind.DAEMON)
    if len(others) > 1 or "" in others:
        return Place(Kind.NOTHING)
    return Place(Kind.MODEL, first, *others)
