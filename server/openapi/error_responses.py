"""The errors that routes of models answer with, as OpenAPI describes them."""

from __future__ import annotations

from typing import Any

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

_FAULTS = {
    400: ("BadRequest", "The body is not valid JSON."),
    404: ("NotFound", "No such model, or no such version of it."),
    408: ("BodyTimeout", "The body did not come in time."),
    413: ("BodyTooLarge", "The body is over the limit."),
    415: ("UnsupportedMediaType", "The body is announced as other than JSON, or in a coding other than gzip."),
    422: ("InvalidVariables", "The variables do not fit; `field` names what does not."),
    500: ("ModelError", "The model raised, or answered with what can't be written as JSON."),
    502: ("WorkerLost", "The model's process was lost during the request."),
    503: ("Unavailable", "The model is not live, or too many requests wait for it."),
    504: ("DeadlineExceeded", "The model took longer than it may."),
}
_OF_BODIES = frozenset({400, 408, 413, 415})
_OF_MODELS = frozenset({404, 500, 502, 504})
_RETRY_LATER = frozenset({502, 503})


def _response(status: int, description: str) -> Schema:
    response: Schema = {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    if status in _RETRY_LATER:
        seconds = {"description": "Seconds to wait before another try.", "schema": {"type": "integer"}}
        response["headers"] = {"Retry-After": seconds}
    return response


RESPONSES: Schema = {name: _response(status, text) for status, (name, text) in _FAULTS.items()}


def faults(*, has_body: bool, of_model: bool = True) -> Schema:
    """References to the errors of a route, by status."""
    left_out = (frozenset() if has_body else _OF_BODIES) | (frozenset() if of_model else _OF_MODELS)
    return {
        str(status): {"$ref": f"#/components/responses/{name}"}
        for status, (name, _) in _FAULTS.items()
        if status not in left_out
    }
