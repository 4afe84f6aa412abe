"""The table of routes as an OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from core.error_codes import ERROR_CODES
from server.http.admin_openapi.operations import Operation, Reply, Schema
from server.openapi.error_responses import ERROR_SCHEMA

_OF_ALL = (
    *("invalid_parameter", "key_required", "key_forbidden", "admin_disabled", "not_found", "method_not_allowed"),
    *("bad_request", "not_ready", "control_plane_unavailable", "internal"),
)
"""What any route may answer with."""
_WITH_BODY = ("malformed_json", "body_too_large")
_WHERE = "#/components/schemas/{name}"
_IN_BRACES = re.compile(r"\{(\w+)\}")
_SAYS = {
    "model": "The model's name.",
    "version": "`vN`, a commit of 7 digits or more, or `run-` and a run's key.",
    "run": "The run's key.",
}


def admin_document(operations: Iterable[Operation], base: str, prefix: str) -> Schema:
    """An OpenAPI 3.1 document. `base` is the base path, `prefix` the path that a proxy takes off before it."""
    table = tuple(operations)
    shapes = [shape for one in table for shape in _shapes(one)]
    schemas, components = msgspec.json.schema_components(shapes, ref_template=_WHERE)
    by_shape = {repr(shape): schema for shape, schema in zip(shapes, schemas, strict=True)}
    paths: dict[str, Schema] = {}
    for one in table:
        paths.setdefault(base + one.path.template, {})[one.method] = _operation(one, by_shape)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pawl's admin API", "version": "1", "description": "For operators and pipelines."},
        "servers": [{"url": prefix or "/"}],
        "paths": paths,
        "components": {
            "schemas": {**components, "Error": ERROR_SCHEMA},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _shapes(operation: Operation) -> list[Any]:
    replies = [reply.shape for reply in operation.replies.values() if reply is not None and reply.shape is not None]
    return replies if operation.body is None else [*replies, operation.body]


def _operation(operation: Operation, schemas: Mapping[str, Schema]) -> Schema:
    found: Schema = {
        "operationId": _id(operation),
        "summary": operation.says,
        "parameters": [*_in_path(operation), *_in_query(operation)],
        "responses": {**_replies(operation.replies, schemas), **_errors(operation)},
        "security": [{"key": []}],
        "x-pawl-scope": operation.scope,
    }
    if operation.body is not None:
        content = {"application/json": {"schema": schemas[repr(operation.body)]}}
        found["requestBody"] = {"required": False, "content": content}
    return found


def _id(operation: Operation) -> str:
    words = re.findall(r"\w+", operation.path.template.partition("/-/")[2].removeprefix("api/"))
    return "_".join((operation.method, *words))


def _in_path(operation: Operation) -> list[Schema]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _SAYS.get(name, ""),
            "schema": {"type": "string", "minLength": 1},
        }
        for name in _IN_BRACES.findall(operation.path.template)
    ]


def _in_query(operation: Operation) -> list[Schema]:
    return [
        {"name": one.name, "in": "query", "required": False, "description": one.says, "schema": one.schema}
        for one in operation.parameters
    ]


def _replies(replies: Mapping[int, Reply | None], schemas: Mapping[str, Schema]) -> Schema:
    found: Schema = {}
    for status, reply in replies.items():
        found[str(status)] = answer = {"description": "It went well."}
        if reply is not None:
            schema = {"type": "string"} if reply.shape is None else schemas[repr(reply.shape)]
            answer["content"] = {reply.media: {"schema": schema}}  # type: ignore[assignment]
    return found


def _errors(operation: Operation) -> Schema:
    codes = dict.fromkeys([*operation.errors, *_OF_ALL, *(() if operation.body is None else _WITH_BODY)])
    by_status: dict[str, list[str]] = {}
    for code in codes:
        by_status.setdefault(str(ERROR_CODES[code].status), []).append(code)
    return {
        status: {
            "description": "\n".join(f"- `{code}`: {ERROR_CODES[code].says}" for code in found),
            "content": {"application/json": {"schema": {"$ref": _WHERE.format(name="Error")}}},
        }
        for status, found in sorted(by_status.items())
    }
