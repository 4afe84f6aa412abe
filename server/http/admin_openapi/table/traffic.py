"""Routes of traffic and the machine."""

from __future__ import annotations

from core import paths
from core.traffic.bucket import Stage
from server.http.admin_openapi.operations import VERSION_ERRORS, Operation, Reply, moment, one_of, text
from server.traffic.history.history import History
from server.traffic.system import System

_TRAFFIC = (
    moment("from", "Traffic from that time on; by default an hour before `to`."),
    moment("to", "Traffic before that time; by default until now."),
    text("step", "Seconds of each point, or such as 15m, 1h and 1d."),
    one_of("stage", "Requests of one kind.", list(Stage)),
)
MACHINE: tuple[Operation, ...] = (
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
        errors=VERSION_ERRORS,
        parameters=_TRAFFIC,
    ),
    Operation("get", paths.API_SYSTEM, "Tells of the machine and the server.", "view", {200: Reply(System)}),
)
