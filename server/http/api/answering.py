"""What can't be done is answered with the code that says so: one place for all routes of the admin API."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from core.errors import (
    ArtifactDamaged,
    NotTrainable,
    NotTrained,
    PawlError,
    ReleaseFailed,
    RunNotFound,
    RunStateConflict,
    VersionAmbiguous,
)
from loader.sources.past import CursorUnknown
from server.access.keyring import KeyNotFound, TooManyKeys
from server.http.access import Handler
from server.http.bodies import BodyInvalid, BodyMalformed
from server.http.event_streams import TooManyStreams
from server.http.replies import error
from server.steering.actions.error_codes import CODES as OF_ACTIONS
from server.steering.actions.errors import LiveChanged, ModelPinned
from server.versions.version_reader import ModelNotFound

_CODES: dict[type[PawlError], str] = {
    **OF_ACTIONS,
    ModelNotFound: "model_not_found",
    RunNotFound: "run_not_found",
    KeyNotFound: "key_not_found",
    TooManyKeys: "too_many_keys",
    RunStateConflict: "run_state",
    NotTrainable: "not_trainable",
    ArtifactDamaged: "artifact_gone",
    TooManyStreams: "too_many_streams",
    CursorUnknown: "invalid_parameter",
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
    if isinstance(refused, CursorUnknown):
        return error(code, f"cursor: {refused}", field="cursor")
    return error(code, str(refused), **_facts(refused))


def _facts(refused: PawlError) -> dict[str, object]:
    """What the answer says besides."""
    match refused:
        case BodyInvalid(field=field):
            return {"field": field} if field else {}
        case VersionAmbiguous(commits=commits):
            return {"commits": commits}
        case NotTrained(run=run):
            return {"run": run or "queued"}
        case LiveChanged(live=live):
            return {"live": live}
        case ModelPinned(version=version):
            return {"version": version}
        case ReleaseFailed(stage=stage):
            return {"stage": stage}
    return {}
