"""Routes of training runs."""

from __future__ import annotations

from core import paths
from core.runs.states import RunState
from server.http.admin_openapi import shapes
from server.http.admin_openapi.operations import FOLLOW, Operation, Reply, listed, number, one_of, text
from server.http.api.askers import Reasoned
from server.http.api.lists import MOST
from trainer.catalogue.views import RunDetail, RunView
from trainer.catalogue.wishes import Asked

_RUN = ("run_not_found", "run_state", "store_unavailable")
RUNS: tuple[Operation, ...] = (
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
    Operation(
        "post", paths.API_RUN_CANCEL, "Stops a run.", "operate", {200: Reply(RunView)}, errors=_RUN, body=Reasoned
    ),
    Operation(
        "post",
        paths.API_RUN_RETRY,
        "Tries a run again.",
        "operate",
        {200: Reply(RunView)},
        errors=_RUN,
        body=Reasoned,
    ),
    Operation(
        "post",
        paths.API_RUN_ACCEPT,
        "Serves what a rejected run left; takes a reason.",
        "operate",
        {200: Reply(RunView)},
        errors=(*_RUN, "artifact_gone"),
        body=Reasoned,
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
            FOLLOW,
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
