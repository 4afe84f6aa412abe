"""What can't be done is answered with the code that says so: one place for all routes of the admin API."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from core.errors import (
    ArtifactDamaged,
    ArtifactGone,
    NotTrainable,
    NotTrained,
    PawlError,
    RunNotFound,
    RunStateConflict,
    SourceError,
    StoreUnavailable,
    VersionAmbiguous,
    VersionNotFound,
)
from loader.sources.past import CursorUnknown
from registry.errors import RegistryUnavailable
from server.access.keyring import KeyNotFound, TooManyKeys
from server.http.access import Handler
from server.http.bodies import BodyInvalid, BodyMalformed
from server.http.event_streams import TooManyStreams
from server.http.replies import error
from server.versions.versions import ModelNotFound

_CODES: dict[type[PawlError], str] = {
    ModelNotFound: "model_not_found",
    RunNotFound: "run_not_found",
    KeyNotFound: "key_not_found",
    TooManyKeys: "too_many_keys",
    RunStateConflict: "run_state",
    NotTrainable: "not_trainable",
    NotTrained: "not_trained",
    ArtifactGone: "artifact_gone",
    ArtifactDamaged: "artifact_gone",
    StoreUnavailable: "store_unavailable",
    RegistryUnavailable: "registry_unavailable",
    TooManyStreams: "too_many_streams",
    VersionNotFound: "version_not_found",
    VersionAmbiguous: "version_ambiguous",
    CursorUnknown: "invalid_parameter",
    SourceError: "not_ready",
    BodyMalformed: "malformed_json",
    BodyInvalid: "invalid_parameter",
}


def answering(answer: Handler) -> Handler:
    """`answer`, with a refusal in place of what it raises."""

    async def answered(request: Request) -> Response:
        try:
            return await answer(request)
        except tuple(_CODES) as refused:
            return refusal(refused)

    return answered


def refusal(refused: PawlError) -> Response:
    code = next(_CODES[kind] for kind in type(refused).__mro__ if kind in _CODES)
    match refused:
        case BodyInvalid():
            return error(code, str(refused), **({"field": refused.field} if refused.field else {}))
        case CursorUnknown():
            return error(code, f"cursor: {refused}", field="cursor")
        case VersionAmbiguous():
            return error(code, str(refused), commits=refused.commits)
        case NotTrained():
            return error(code, str(refused), run=refused.run)
    return error(code, str(refused))
