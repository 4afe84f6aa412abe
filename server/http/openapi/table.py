"""The one table of the admin API's routes: what each takes and answers."""

from __future__ import annotations

from typing import Any

from core import paths
from core.events import EventKind
from core.runs.states import RunState
from core.standing import VersionState
from core.traffic.bucket import Stage
from server.http.api.keys_api import NewKey
from server.http.api.lists import MOST
from server.http.api.runs_api import Said
from server.http.api.session_api import Shown
from server.http.api.steering_api import PinSaid, RollbackSaid
from server.http.api.steering_api import Said as Steered
from server.http.api.sync import Synced
from server.http.openapi import shapes
from server.http.openapi.operations import Method, Operation, Reply, listed, moment, number, one_of, text
from server.steering.actions.actions import Action
from server.steering.actions.error_codes import CODES
from server.traffic.history.history import History
from server.traffic.system import System
from server.uploads.uploads import Uploaded
from server.versions import views
from trainer.catalogue.catalogue import Asked
from trainer.catalogue.views import RunDetail, RunView

_STREAM = "text/event-stream"
_VERSION = ("model_not_found", "version_not_found", "version_ambiguous", "not_trained", "artifact_gone")
_RUN = ("run_not_found", "run_state", "store_unavailable")
_FOLLOW = one_of("follow", "1: go on with what comes.", ["0", "1"])
_EVENTS = (
    text("model", "Events of one model."),
    one_of("kind", "Events of one kind.", list(EventKind)),
    text("actor", "What somebody of that name did, or `key`, `session`, `git` or `pawl`."),
    moment("since", "Events from that time on."),
)

_MODELS = (
    Operation(
        "get",
        paths.API_MODELS,
        "Lists the models by name, and says where everything stands.",
        "view",
        {200: Reply(shapes.ModelList)},
        parameters=(
            text("q", "Models whose name or description holds that."),
            one_of("state", "Models that stand so; `live`: that something of is live.", ["live", *VersionState]),
            *listed(MOST, MOST),
        ),
    ),
    Operation(
        "get",
        paths.API_MODEL,
        "Tells of one model.",
        "view",
        {200: Reply(shapes.ModelItem)},
        errors=("model_not_found",),
    ),
    Operation(
        "get",
        paths.API_LOGS,
        "Lists what a model's workers printed, the newest line first.",
        "view",
        {200: Reply(shapes.LineList)},
        errors=(*_VERSION, "too_many_streams"),
        parameters=(
            text("version", "Lines of that version alone."),
            moment("since", "Lines from that time on."),
            _FOLLOW,
            *listed(MOST, 100),
        ),
    ),
    Operation(
        "get",
        paths.API_DEPLOYMENTS,
        "Lists what was live, the newest first.",
        "view",
        {200: Reply(views.DeploymentList)},
        errors=("model_not_found", "registry_unavailable"),
        parameters=(moment("at", "What was live at that moment."), *listed(MOST, 100)),
    ),
)

_VERSIONS = (
    Operation(
        "get",
        paths.API_VERSIONS,
        "Lists a model's versions, one for each release, the newest first.",
        "view",
        {200: Reply(views.VersionList)},
        errors=("model_not_found",),
        parameters=listed(MOST, 50),
    ),
    Operation(
        "get",
        paths.API_VERSION,
        "Tells of one version: `vN`, a commit of 7 digits or more, or `run-` and a run's key.",
        "view",
        {200: Reply(views.VersionView)},
        errors=_VERSION,
    ),
    Operation(
        "get",
        paths.API_DIFF,
        "Says how a version differs from another: by default from the live one, or, of that, from the one before it.",
        "view",
        {200: Reply(views.DiffView)},
        errors=_VERSION,
        parameters=(text("from", "The other version."),),
    ),
)

_HAPPENINGS = (
    Operation(
        "get",
        paths.API_EVENTS,
        "Lists what happened, the newest first.",
        "view",
        {200: Reply(shapes.EventList)},
        parameters=(*_EVENTS, *listed(MOST, 100)),
    ),
    Operation(
        "get",
        paths.API_EVENTS_STREAM,
        "Streams what happens; `Last-Event-ID` goes on from there.",
        "view",
        {200: Reply(None, _STREAM)},
        errors=("too_many_streams",),
        parameters=_EVENTS,
    ),
    Operation("get", paths.API_OPENAPI, "This document.", "view", {200: Reply(shapes.Document)}),
    Operation(
        "post",
        paths.SYNC,
        "Has Pawl look at the repository now; the webhook.",
        "none",
        {200: Reply(Synced), 202: Reply(Synced)},
        errors=("unauthorized", "body_too_large"),
        parameters=(number("wait", "Seconds to wait for what comes of it.", 50, 0, 0),),
    ),
)

_RUNS = (
    Operation(
        "get",
        paths.API_RUNS,
        "Lists training runs, the newest first.",
        "view",
        {200: Reply(shapes.RunList)},
        errors=("store_unavailable",),
        parameters=(
            text("model", "Runs of one model."),
            one_of("state", "Runs in that state.", list(RunState)),
            *listed(MOST, 100),
        ),
    ),
    Operation("get", paths.API_RUN, "Tells of one run.", "view", {200: Reply(RunDetail)}, errors=_RUN),
    Operation(
        "post",
        paths.API_MODEL_RUNS,
        "Starts a run.",
        "operate",
        {200: Reply(RunView), 201: Reply(RunView)},
        errors=("model_not_found", "not_trainable", *_RUN, "version_not_found", "version_ambiguous"),
        body=Asked,
    ),
    Operation("post", paths.API_RUN_CANCEL, "Stops a run.", "operate", {200: Reply(RunView)}, errors=_RUN, body=Said),
    Operation(
        "post",
        paths.API_RUN_RETRY,
        "Tries a run again.",
        "operate",
        {200: Reply(RunView)},
        errors=_RUN,
        body=Said,
    ),
    Operation(
        "post",
        paths.API_RUN_ACCEPT,
        "Serves what a rejected run left; takes a reason.",
        "operate",
        {200: Reply(RunView)},
        errors=(*_RUN, "artifact_gone"),
        body=Said,
    ),
    Operation(
        "get",
        paths.API_RUN_LOG,
        "What a run printed.",
        "view",
        {200: Reply(None, "text/plain")},
        errors=(*_RUN, "too_many_streams"),
        parameters=(
            number("attempt", "An earlier attempt.", 10_000, 1),
            _FOLLOW,
            number("offset", "From that byte on.", 10**9, 0, 0),
        ),
    ),
    Operation(
        "get",
        paths.API_RUN_ARTIFACT,
        "What a run left, as a zip.",
        "view",
        {200: Reply(None, "application/zip")},
        errors=(*_RUN, "artifact_gone"),
    ),
)

_TRAFFIC = (
    moment("from", "Traffic from that time on; by default an hour before `to`."),
    moment("to", "Traffic before that time; by default until now."),
    text("step", "Seconds of each point, or such as 15m, 1h and 1d."),
    one_of("stage", "Requests of one kind.", list(Stage)),
)
_MACHINE = (
    Operation(
        "get", paths.API_TRAFFIC, "Tells the traffic of all models.", "view", {200: Reply(History)}, parameters=_TRAFFIC
    ),
    Operation(
        "get",
        paths.API_MODEL_TRAFFIC,
        "Tells the traffic of one model.",
        "view",
        {200: Reply(History)},
        errors=("model_not_found",),
        parameters=_TRAFFIC,
    ),
    Operation(
        "get",
        paths.API_VERSION_TRAFFIC,
        "Tells the traffic of one version.",
        "view",
        {200: Reply(History)},
        errors=_VERSION,
        parameters=_TRAFFIC,
    ),
    Operation("get", paths.API_SYSTEM, "Tells of the machine and the server.", "view", {200: Reply(System)}),
)

_WAIT = (number("wait", "Seconds to wait for what comes of it.", 50, 30, 0),)
_DONE: dict[int, Reply | None] = {200: Reply(Action), 202: Reply(Action)}


def _steers(method: Method, path: paths.HttpPath, says: str, body: Any = Steered) -> Operation:
    """An action on a model; of a DELETE, whose body some clients can't send, the query may say the same."""
    said = (text("reason", "Why."), text("expect", "The live version that was seen.")) if method == "delete" else ()
    codes = tuple(sorted({*CODES.values(), "malformed_json"}))
    return Operation(method, path, says, "operate", _DONE, codes, (*_WAIT, *said), body)


_STEERING = (
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
        {200: Reply(None, _STREAM)},
        errors=("action_not_found", "too_many_streams"),
    ),
)

_CHANGED = ("conflict", "not_writable", "not_ready")
_REASON = (text("reason", "Why."),)
_UPLOADS = (
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

_KEYS = (
    Operation(
        "get",
        paths.API_KEYS,
        "Lists the keys that were not revoked, the newest first.",
        "admin",
        {200: Reply(shapes.KeyList)},
        parameters=listed(MOST, 100),
    ),
    Operation(
        "post",
        paths.API_KEYS,
        "Makes a key, which this answer alone tells.",
        "admin",
        {201: Reply(shapes.MadeKey)},
        errors=("registry_unavailable", "too_many_keys"),
        body=NewKey,
    ),
    Operation(
        "delete",
        paths.API_KEY,
        "Revokes a key.",
        "admin",
        {200: Reply(shapes.RevokedKey)},
        errors=("key_not_found", "registry_unavailable"),
        parameters=(text("reason", "Why, for those who ask later."),),
    ),
    Operation(
        "post",
        paths.API_SESSION,
        "Signs a browser in, by a key or a one-time code.",
        "none",
        {200: Reply(shapes.Session)},
        errors=("rate_limited",),
        body=Shown,
    ),
    Operation("delete", paths.API_SESSION, "Signs a browser out.", "none", {200: Reply(shapes.SignedOut)}),
)

OPERATIONS: tuple[Operation, ...] = (
    *_MODELS,
    *_VERSIONS,
    *_HAPPENINGS,
    *_RUNS,
    *_STEERING,
    *_UPLOADS,
    *_MACHINE,
    *_KEYS,
)
