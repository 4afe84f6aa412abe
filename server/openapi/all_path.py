"""The path of the OpenAPI document at which every live model answers."""

from __future__ import annotations

from collections.abc import Sequence

from server.openapi.bodies import ANYTHING, json_content, one_or_many, request, request_body
from server.openapi.components import Schema
from server.openapi.error_responses import faults
from server.openapi.model_paths import ModelPaths

_FLAT: Schema = {
    "name": "flat",
    "in": "query",
    "description": "The fields of all answers in one object.",
    "schema": {"type": "boolean", "default": False},
}


def all_path(models: Sequence[ModelPaths]) -> Schema:
    """Variables go to every model as they are, and the answers come side by side."""
    about = (
        "Every live model scores the same variables; the answers come side by side, by model. A model that fails has "
        "its error in its place."
    )
    error = {"$ref": "#/components/schemas/Error"}
    answers = {
        "type": "object",
        "properties": {model.name: {"anyOf": [*one_or_many(model.answer)["anyOf"], error]} for model in models},
    }
    flat = {"anyOf": [answers, {"type": "object"}, {"type": "array", "items": {"type": "object"}}]}
    operation = {"tags": ["all"], "description": about, "parameters": [_FLAT]}

    def responses(*, has_body: bool) -> Schema:
        good = {"description": "The answers.", "content": json_content(flat, {})}
        return {"200": good, **faults(has_body=has_body, of_model=False)}

    return {
        "post": {
            "operationId": "scoreAll",
            "summary": "Score with every model",
            **operation,
            "requestBody": request_body(request(ANYTHING, False), False, {}),
            "responses": responses(has_body=True),
        },
        "get": {
            "operationId": "getAll",
            "summary": "Score with every model without variables",
            **operation,
            "responses": responses(has_body=False),
        },
    }
