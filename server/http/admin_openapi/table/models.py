"""Routes of models, and of what is or was live and printed."""

from __future__ import annotations

from core import paths
from core.version_states import VersionState
from server.http.admin_openapi import shapes
from server.http.admin_openapi.operations import FOLLOW, VERSION_ERRORS, Operation, Reply, listed, moment, one_of, text
from server.http.api.lists import MOST
from server.versions import views

MODELS: tuple[Operation, ...] = (
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
        errors=(*VERSION_ERRORS, "too_many_streams"),
        parameters=(
            text("version", "Lines of that version alone."),
            moment("since", "Lines from that time on."),
            FOLLOW,
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
