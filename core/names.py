"""What a model may be called."""

from __future__ import annotations

import re

RESERVED = frozenset({"all", "docs", "openapi.json", "v2", "healthz", "readyz", "metrics", "ping", "invocations"})
"""Names that the routes beside the models need for themselves."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")


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
