"""Routes of what people choose to be live."""

from __future__ import annotations

from typing import Any

from core import paths
from server.http.admin_openapi.operations import EVENT_STREAM, Method, Operation, Reply, number, text
from server.http.api.askers import Said
from server.http.api.steering_api import PinSaid, RollbackSaid
from server.steering.actions.actions import Action
from server.steering.actions.error_codes import CODES

_WAIT = (number("wait", "Seconds to wait for what comes of it.", 50, 30, 0),)
_DONE: dict[int, Reply | None] = {200: Reply(Action), 202: Reply(Action)}


def _steers(method: Method, path: paths.HttpPath, says: str, body: Any = Said) -> Operation:
    """An action on a model; of a DELETE, whose body some clients can't send, the query may say the same."""
    said = (text("reason", "Why."), text("expect", "The live version that was seen.")) if method == "delete" else ()
    codes = tuple(sorted({*CODES.values(), "invalid_parameter", "malformed_json"}))
    return Operation(method, path, says, "operate", _DONE, codes, (*_WAIT, *said), body)


STEERING: tuple[Operation, ...] = (
    _steers("put", paths.API_PIN, "Holds the live version at one until the pin is lifted.", PinSaid),
    _steers("delete", paths.API_PIN, "Lifts the pin."),
    _steers("post", paths.API_ROLLBACK, "Rejects what is live and goes back.", RollbackSaid),
    _steers("post", paths.API_RETRY, "Tries a failed release again."),
    _steers("post", paths.API_VERSION_ACCEPT, "Lifts a version's rejection."),
    _steers("post", paths.API_VERSION_LOAD, "Starts a version beside the live one."),
    _steers("post", paths.API_VERSION_UNLOAD, "Stops a version that runs beside the live one."),
    Operation(
        "get",
        paths.API_ACTION,
        "Tells what became of an action.",
        "view",
        {200: Reply(Action)},
        errors=("action_not_found",),
    ),
    Operation(
        "get",
        paths.API_ACTION_STREAM,
        "Streams an action, again at each step, until it is over.",
        "view",
        {200: Reply(None, EVENT_STREAM)},
        errors=("action_not_found", "too_many_streams"),
    ),
)
