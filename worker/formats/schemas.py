"""JSON Schemas of what a method takes and returns, where its annotations say enough."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from . import pydantic_types as pydantics

_MOST_BYTES = 1024 * 1024
"""Of a schema as JSON. It is in every answer that tells of the model."""


def json_schema(kind: Any, mode: Literal["validation", "serialization"]) -> dict[str, Any] | None:
    """The JSON Schema (2020-12) of a type, its references under `#/$defs/`; None where it has none."""
    if kind is None or isinstance(kind, str):
        return None
    try:
        schema = short_enough(pydantics.schema(kind, mode) or _msgspec_schema(kind))
    except Exception:  # a description is a courtesy: what can't be described is served all the same
        return None
    return schema if schema is not None and len(schema) > 1 else None


def short_enough(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    """The schema, unless it is so long that nobody would read it."""
    return schema if len(msgspec.json.encode(schema)) <= _MOST_BYTES else None


def _msgspec_schema(kind: Any) -> dict[str, Any]:
    (schema,), components = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    return {**schema, "$defs": components} if components else schema
