"""Routes of models that are handed in."""

from __future__ import annotations

from core import paths
from server.http.openapi.operations import (
    Operation,
    Reply,
    text,
)
from server.uploads.uploads import Uploaded

_CHANGED = ("conflict", "not_writable", "not_ready")
_REASON = (text("reason", "Why."),)
UPLOADS: tuple[Operation, ...] = (
    Operation(
        "put",
        paths.API_MODEL,
        "Takes a zip of a model's folder, as a commit.",
        "operate",
        {200: Reply(Uploaded)},
        errors=(*_CHANGED, "invalid_archive", "invalid_name", "release_failed", "body_too_large"),
        parameters=_REASON,
    ),
    Operation(
        "delete",
        paths.API_MODEL,
        "Removes a model's folder, in a commit.",
        "operate",
        {200: Reply(Uploaded)},
        errors=(*_CHANGED, "model_not_found"),
        parameters=_REASON,
    ),
)
