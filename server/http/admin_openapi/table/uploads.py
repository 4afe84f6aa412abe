"""Routes of models that are handed in."""

from __future__ import annotations

from core import paths
from server.http.admin_openapi.operations import Operation, Reply, number, text
from server.http.api.askers import Said
from server.steering.actions.actions import Action
from server.uploads.submission import Uploaded

_CHANGED = ("conflict", "not_writable", "source_unavailable", "overloaded", "live_changed")
_SAID = (
    text("reason", "Why."),
    text("expect", "The live version that was seen."),
    number("wait", "Seconds to wait for what comes of it.", 50, 50, 0),
)
_DONE: dict[int, Reply | None] = {200: Reply(Uploaded), 202: Reply(Action)}
UPLOADS: tuple[Operation, ...] = (
    Operation(
        "put",
        paths.API_MODEL,
        "Takes a zip of a model's folder, as a commit.",
        "operate",
        _DONE,
        errors=(*_CHANGED, "invalid_archive", "invalid_name", "release_failed", "body_too_large"),
        parameters=_SAID,
    ),
    Operation(
        "delete",
        paths.API_MODEL,
        "Removes a model's folder, in a commit.",
        "operate",
        _DONE,
        errors=(*_CHANGED, "model_not_found", "malformed_json"),
        parameters=_SAID,
        body=Said,
    ),
)
