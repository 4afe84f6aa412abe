"""What stands in a request and in an answer, as OpenAPI describes it: one of something, or a list of it."""

from __future__ import annotations

from typing import Any

from server.openapi.components import Schema
from worker.wire.messages import MAX_VARIABLES

ANYTHING: Schema = {"type": "object", "additionalProperties": True}


def request(variables: Schema, is_required: bool) -> Schema:
    """What is sent: `variables`, or a list of them."""
    choices: list[Schema] = [*one_or_many(variables)["anyOf"], *([] if is_required else [{"type": "null"}])]
    request: Schema = {"type": "object", "properties": {"variables": {"anyOf": choices}}}
    return {**request, "required": ["variables"]} if is_required else request


def one_or_many(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "array", "items": schema, "maxItems": MAX_VARIABLES}]}


def request_body(schema: Schema, is_required: bool, examples: Schema) -> Schema:
    return {"required": is_required, "content": json_content(schema, examples)}


def json_content(schema: Schema, examples: Schema) -> Schema:
    media: dict[str, Any] = {"schema": schema}
    return {"application/json": {**media, "examples": examples} if examples else media}
