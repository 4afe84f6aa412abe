"""The errors that routes of models answer with, as OpenAPI describes them."""

from __future__ import annotations

from typing import Any

from core.error_codes import ERROR_CODES, PLANNED, ErrorCode, Origin

Schema = dict[str, Any]

ERROR_SCHEMA: Schema = {
    "type": "object",
    "description": "The one shape of all errors.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "description": "For programs, such as `model_not_found`."},
                "message": {"type": "string", "description": "For people."},
                "error_id": {"type": "string", "description": "Leads to the traceback in the server's log."},
                "field": {"type": "string", "description": "What of the variables does not fit."},
                "index": {"type": "integer", "description": "Which element of a list of variables failed."},
                "commits": {"type": "array", "items": {"type": "string"}, "description": "What a version may mean."},
            },
        }
    },
}

_OF_ALL = Origin.VARIABLES | Origin.SERVER
_OF_MODELS = Origin.MODEL | Origin.VERSION


def faults(*, has_body: bool, of_model: bool = True) -> Schema:
    """References to the errors of a route, by status."""
    origins = _OF_ALL | (Origin.BODY if has_body else Origin(0)) | (_OF_MODELS if of_model else Origin(0))
    return {status: {"$ref": f"#/components/responses/{_name(status)}"} for status in _by_status(origins)}


def responses() -> Schema:
    """All of them, for the document's components."""
    by_status = _by_status(_OF_ALL | Origin.BODY | _OF_MODELS)
    return {_name(status): _response(codes) for status, codes in by_status.items()}


def _by_status(origins: Origin) -> dict[str, list[ErrorCode]]:
    """The codes of any of the origins, by status as OpenAPI writes it."""
    codes: dict[str, list[ErrorCode]] = {}
    for code in ERROR_CODES.values():
        if code.origin & origins and code.code not in PLANNED:
            codes.setdefault(_status(code), []).append(code)
    return dict(sorted(codes.items()))


def _status(code: ErrorCode) -> str:
    return str(code.status) if code.last_status is None else f"{code.status // 100}XX"


def _name(status: str) -> str:
    return f"Error{status}"


def _response(codes: list[ErrorCode]) -> Schema:
    response: Schema = {
        "description": "\n".join(f"- `{code.code}`: {code.says}" for code in codes),
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    if all(code.retry_after_s is not None for code in codes):
        seconds = {"description": "Seconds to wait before another try.", "schema": {"type": "integer"}}
        response["headers"] = {"Retry-After": seconds}
    return response
