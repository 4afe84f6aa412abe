"""The schemas of one OpenAPI document, to which every model brings its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

Schema = dict[str, Any]

_WHERE = "#/components/schemas/"
_DEFS = "#/$defs/"
_ONE = frozenset(
    {
        *("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"),
        *("unevaluatedItems", "unevaluatedProperties", "contentSchema"),
    }
)
_MANY = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset({"properties", "patternProperties", "dependentSchemas"})
"""Keywords that hold a schema, a list of schemas, and schemas by name: https://json-schema.org/draft/2020-12. What the
others hold is data, in which "$ref" is a key like any other."""
_LEFT_OUT = frozenset({"$defs", "$id", "$schema", "$anchor", "$dynamicAnchor", "$dynamicRef"})
"""They would change what references mean, or mean nothing where the schema goes."""


class Components:
    """Hands out names that no other schema of the document has."""

    def __init__(self, shared: Mapping[str, Schema]) -> None:
        self.schemas: dict[str, Schema] = dict(shared)

    def add(self, owner: str, title: str, schema: Schema) -> Schema:
        """Take in a JSON Schema whose references are under `#/$defs/`; a reference to it.

        Its definitions go by `owner.Name`, and itself, unless it is but a reference to one of them, by `owner.title`.
        A reference to anything else, which might be somewhere on the network, is left out.
        """
        found = schema.get("$defs")
        definitions: Schema = found if isinstance(found, dict) else {}
        names = {name: self._take(f"{owner}.{name}") for name in definitions}
        root = {key: value for key, value in schema.items() if key not in _LEFT_OUT}
        move = _Move(names)
        if set(root) != {"$ref"} or move.target(root["$ref"]) is None:
            move.root = self._take(f"{owner}.{title}")
            self.schemas[move.root] = move.schema(root)
        for name, definition in definitions.items():
            self.schemas[names[name]] = move.schema(definition)
        return {"$ref": _WHERE + move.root} if move.root else move.schema(root)

    def _take(self, wished: str) -> str:
        plain = re.sub(r"[^A-Za-z0-9._-]", "_", wished)
        name, number = plain, 1
        while name in self.schemas:
            number += 1
            name = f"{plain}_{number}"
        self.schemas[name] = {}
        return name


class _Move:
    """Rewrites references for the place that the schema moves to."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.root = ""
        self._names = names

    def schema(self, schema: Any) -> Any:
        if not isinstance(schema, dict):
            return schema
        moved = {key: self._value(key, value) for key, value in schema.items() if key not in _LEFT_OUT}
        if moved.get("$ref", "") is None:
            del moved["$ref"]
        return moved

    def target(self, reference: Any) -> str | None:
        """Where the reference leads now; None: nowhere in the document."""
        if reference == "#" and self.root:
            return _WHERE + self.root
        if not isinstance(reference, str) or not reference.startswith(_DEFS):
            return None
        name = unquote(reference.removeprefix(_DEFS)).replace("~1", "/").replace("~0", "~")
        return _WHERE + self._names[name] if name in self._names else None

    def _value(self, key: str, value: Any) -> Any:
        if key == "$ref":
            return self.target(value)
        if key in _ONE:
            return self.schema(value)
        if key in _MANY and isinstance(value, list):
            return [self.schema(one) for one in value]
        if key in _NAMED and isinstance(value, dict):
            return {name: self.schema(one) for name, one in value.items()}
        return self._discriminator(value) if key == "discriminator" and isinstance(value, dict) else value

    def _discriminator(self, value: Schema) -> Schema:
        mapping = value.get("mapping")
        if not isinstance(mapping, dict):
            return value
        return {**value, "mapping": {tag: self.target(reference) or "" for tag, reference in mapping.items()}}
