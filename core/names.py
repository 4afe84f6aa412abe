"""What a model may be called, and a version of it."""

from __future__ import annotations

import re

from core.paths import RESERVED

VERSION_FORM = r"v[1-9][0-9]{0,8}|(?:local-)?[0-9a-f]{7,40}|run-[0-9a-f]{12}"
"""`vN`, a commit prefix (`local-…` of a local folder) or `run-<run key>`, as a regular expression of the whole."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_VERSION = re.compile(VERSION_FORM)


def why_not_a_model_name(name: str) -> str | None:
    """None if a folder of that name can be served, else the reason in words."""
    if name in RESERVED:
        return f"the name {name!r} is taken by a route of the server's own; rename the folder"
    if not _NAME.match(name):
        return (
            f"{name!r} is not a model name; rename the folder to letters, digits, '.', '_' and '-', "
            "beginning with a letter or a digit"
        )
    return None


def may_be_version(name: str) -> bool:
    """Whether a version could be called that."""
    return bool(_VERSION.fullmatch(name))
