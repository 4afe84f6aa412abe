"""The one table of error codes: what each says, its HTTP status, and whether another try may help.

Every error of Pawl's is `{"error": {"code": …, "message": …, …}}`. The gateway and the daemon take the status from
here, the OpenAPI document and docs/errors.md what each code says; a worker imports nothing of ours, and a test holds
its codes to this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, auto
from types import MappingProxyType


class Origin(Flag):
    """What an answer with the code is about."""

    REQUEST = auto()
    """The request itself: its path, its method, how its head is written."""
    BODY = auto()
    """How the body is written, and how large it is."""
    VARIABLES = auto()
    """What the body or the query asks for."""
    MODEL = auto()
    VERSION = auto()
    """A version that was asked for by name."""
    ADMIN = auto()
    """The admin API, the webhook, the pages, the probes."""
    SERVER = auto()
    """Pawl as a whole, whatever was asked."""


@dataclass(frozen=True)
class ErrorCode:
    """One line of the table."""

    code: str
    status: int
    origin: Origin
    says: str
    """For people, in one sentence."""
    retry_after_s: int | None = None
    """Seconds after which another try of the same may succeed (`Retry-After`); None: nothing speaks for one."""
    last_status: int | None = None
    """Where the model chooses the status, from `status` on, the last that it may choose."""


_SOON = 1
_REQUEST, _BODY, _VARIABLES, _MODEL, _VERSION, _ADMIN, _SERVER = Origin

_ANSWERED = (
    ErrorCode("malformed_request", 400, _REQUEST, "The request is not valid HTTP/1.1."),
    ErrorCode("not_found", 404, _REQUEST, "Nothing is at this path."),
    ErrorCode("method_not_allowed", 405, _REQUEST, "The path takes another method; `Allow` lists them."),
    ErrorCode("head_timeout", 408, _REQUEST, "The request's head did not come in time."),
    ErrorCode("head_too_large", 431, _REQUEST, "The request's head is over the limit."),
    ErrorCode("too_many_at_once", 503, _REQUEST, "Too many requests wait on one connection.", _SOON),
    ErrorCode("http_version_not_supported", 505, _REQUEST, "The request is not HTTP/1.1."),
    ErrorCode("malformed_json", 400, _BODY, "The body is not valid JSON."),
    ErrorCode("malformed_encoding", 400, _BODY, "The body is announced as gzip and is not valid gzip."),
    ErrorCode("body_timeout", 408, _BODY, "The body did not come in time."),
    ErrorCode("body_too_large", 413, _BODY, "The body is over the limit."),
    ErrorCode("unsupported_media_type", 415, _BODY, "The body is announced as other than the path takes."),
    ErrorCode("unsupported_encoding", 415, _BODY, "The body is in a coding other than gzip."),
    ErrorCode("overloaded", 503, _BODY, "There is no room for the body: others fill it, or the disk is full.", _SOON),
    ErrorCode("invalid_variables", 422, _VARIABLES, "The variables do not fit; `field` names what does not."),
    ErrorCode("invalid_parameter", 422, _VARIABLES, "The query or the body has a wrong value; `field` names it."),
    ErrorCode("refused", 400, _MODEL, "The model's own code refused the request.", last_status=499),
    ErrorCode("model_not_found", 404, _MODEL | _ADMIN, "No model has this name."),
    ErrorCode("model_error", 500, _MODEL, "The model's code raised; `error_id` leads to the traceback."),
    ErrorCode("bad_answer", 500, _MODEL, "The model's code returned what can't be written as JSON."),
    ErrorCode("worker_lost", 502, _MODEL, "The model's process ended during the request.", _SOON),
    ErrorCode("bad_worker_answer", 502, _MODEL, "The model's process sent what is not an answer.", _SOON),
    ErrorCode("not_live", 503, _MODEL | _VERSION, "No process of the model, or of the version, is ready.", _SOON),
    ErrorCode("not_trained", 503, _MODEL | _VERSION, "No accepted artifact; `run` is its run's state.", _SOON),
    ErrorCode("queue_full", 503, _MODEL | _VERSION, "Too many requests wait for the model.", _SOON),
    ErrorCode("deadline_exceeded", 504, _MODEL, "The model took longer than it may."),
    ErrorCode("version_not_found", 404, _VERSION, "The model has no such version."),
    ErrorCode("version_ambiguous", 404, _VERSION, "Several commits go by this name; `commits` lists them."),
    ErrorCode("artifact_gone", 410, _VERSION | _ADMIN, "What training left for the version is no longer kept."),
    ErrorCode("too_many_versions", 503, _VERSION, "As many older versions run as may at one time.", _SOON),
    ErrorCode("key_required", 401, _MODEL | _ADMIN, "The request has no valid key."),
    ErrorCode("key_forbidden", 403, _MODEL | _ADMIN, "The key does not cover this."),
    ErrorCode(
        "rate_limited", 429, _MODEL | _ADMIN, "The key's rate, or that of attempts to sign in, is used up.", _SOON
    ),
    ErrorCode("bad_request", 400, _ADMIN, "The request can't be read."),
    ErrorCode("unauthorized", 401, _ADMIN, "The token or the signature is missing or wrong."),
    ErrorCode("admin_disabled", 403, _ADMIN, "Without an `ADMIN_TOKEN` this is not open to the caller."),
    ErrorCode("cross_site", 403, _ADMIN, "A page of another site seems to have sent the request."),
    ErrorCode("key_not_found", 404, _ADMIN, "No valid key has this id."),
    ErrorCode("action_not_found", 404, _ADMIN, "No action has this id, or none that is still remembered."),
    ErrorCode("pinned", 409, _ADMIN, "The model is pinned."),
    ErrorCode("no_earlier_release", 409, _ADMIN, "The model has no earlier release to go back to."),
    ErrorCode("live_changed", 409, _ADMIN, "Another version is live than the caller saw."),
    ErrorCode("is_live", 409, _ADMIN, "The version is live: it can't be unloaded, nor rolled back to."),
    ErrorCode("conflict", 409, _ADMIN, "The repository has changed since the caller looked."),
    ErrorCode("not_writable", 409, _ADMIN, "The repository takes no change from here."),
    ErrorCode("invalid_archive", 422, _ADMIN, "The body is not a zip of a model's folder."),
    ErrorCode("invalid_name", 422, _ADMIN, "No model can be called so."),
    ErrorCode("release_failed", 422, _ADMIN, "The version can't be served; `stage` says where it failed."),
    ErrorCode(
        "registry_unavailable", 503, _ADMIN, "The database does not answer; models are served all the same.", _SOON
    ),
    ErrorCode(
        "source_unavailable",
        503,
        _ADMIN,
        "The repository or folder can't be read; models are served all the same.",
        _SOON,
    ),
    ErrorCode("run_not_found", 404, _ADMIN, "No training run has this key."),
    ErrorCode("too_many_keys", 409, _ADMIN, "There are as many keys as there may be."),
    ErrorCode("run_state", 409, _ADMIN, "The training run can't do this in the state in which it is."),
    ErrorCode("not_trainable", 422, _ADMIN, "The model can't be trained as it was asked for."),
    ErrorCode("store_unavailable", 503, _ADMIN, "The store of artifacts and training results does not answer.", _SOON),
    ErrorCode("too_many_streams", 503, _ADMIN, "As many streams are open as may be at one time.", _SOON),
    ErrorCode("not_ready", 503, _ADMIN, "The server is starting or stopping.", _SOON),
    ErrorCode("control_plane_unavailable", 503, _ADMIN, "The daemon does not answer; models do all the same.", _SOON),
    ErrorCode("internal", 500, _SERVER, "Pawl itself failed; its log says how."),
    ErrorCode("stopping", 503, _SERVER, "The server stops and had no time left for the request.", _SOON),
)  # in the order in which people read them

_PLANNED = (ErrorCode("stage_failed", 502, _MODEL, "A model that this one calls failed; the error names it.", _SOON),)

ERROR_CODES = MappingProxyType({line.code: line for line in (*_ANSWERED, *_PLANNED)})
"""By the code."""

PLANNED = frozenset(line.code for line in _PLANNED)
"""Those that nothing answers with yet, and that what is being built has promised."""
