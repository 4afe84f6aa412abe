"""Routes of versions and how they differ."""

from __future__ import annotations

from core import paths
from server.http.admin_openapi.operations import VERSION_ERRORS, Operation, Reply, listed, text
from server.http.api.lists import MOST
from server.versions import views

VERSIONS: tuple[Operation, ...] = (
    Operation(
        "get",
        paths.API_VERSIONS,
        "Lists a model's versions, one for each release, the newest first.",
        "view",
        {200: Reply(views.VersionList)},
        errors=("model_not_found", "source_unavailable"),
        parameters=listed(MOST, 50),
    ),
    Operation(
        "get",
        paths.API_VERSION,
        "Tells of one version: `vN`, a commit of 7 digits or more, or `run-` and a run's key.",
        "view",
        {200: Reply(views.VersionView)},
        errors=VERSION_ERRORS,
    ),
    Operation(
        "get",
        paths.API_DIFF,
        "Says how a version differs from another: by default from the live one, or, of that, from the one before it.",
        "view",
        {200: Reply(views.DiffView)},
        errors=VERSION_ERRORS,
        parameters=(text("from", "The other version."),),
    ),
)
