"""Names that the shell completes: asked of the server, and none where it does not answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pawl.client.api import api_path
from pawl.client.connection import connect
from pawl.exits import CommandFailed

_MOST = 1000


def models(given: Mapping[str, Any], typed: str) -> list[str]:
    return _named(given, api_path("models"), "name", typed)


def versions(given: Mapping[str, Any], typed: str) -> list[str]:
    """Of the model that the line names already."""
    return _named(given, api_path("models", str(given.get("model") or ""), "versions"), "version", typed)


def _named(given: Mapping[str, Any], path: str, field: str, typed: str) -> list[str]:
    try:
        found = connect(given.get("server") or "", given.get("token") or "").items(path, _MOST)
    except CommandFailed:
        return []
    return [name for one in found if (name := str(one.get(field) or "")).startswith(typed)]
