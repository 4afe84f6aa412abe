"""A JSON Schema in a few lines that a person can take in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_DEEPEST = 4
"""Fields of fields of …; types may hold themselves."""
_NUMBERS = {"minimum": "≥", "maximum": "≤", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}
_SIZES = {"minItems": "at least {}", "maxItems": "at most {}", "minLength": "at least {}", "maxLength": "at most {}"}


def outline(schema: Schema) -> list[str]:
    """A line for each field, indented as they lie in each other: name, type, what it is if not sent, description."""
    return list(_Outline(schema).fields(schema, 0))


class _Outline:
    """Authors' libraries let them write into their schemas what they like: what makes no sense is passed over."""

    def __init__(self, schema: Schema) -> None:
        self._definitions = _dict(schema.get("$defs"))

    def fields(self, schema: Schema, depth: int) -> Iterator[str]:
        schema = self._resolved(schema)
        required = _list(schema.get("required"))
        for name, field in _dict(schema.get("properties")).items():
            field = _dict(field)
            yield f"{'  ' * depth}{name}: {self._kind(field, 0)}{_otherwise(field, name in required)}{_about(field)}"
            if depth < _DEEPEST:
                yield from self.fields(self._inner(field, 0), depth + 1)

    def _inner(self, field: Schema, depth: int) -> Schema:
        """The object whose fields are worth showing below `field`."""
        field = self._resolved(field)
        choices = [one for one in map(_dict, _list(field.get("anyOf"))) if one.get("type") != "null"]
        inside = choices if len(choices) == 1 else [_dict(field.get("items"))] if "items" in field else []
        return self._inner(inside[0], depth + 1) if inside and depth < _DEEPEST else field

    def _kind(self, field: Schema, depth: int) -> str:
        resolved = self._resolved(field)
        choices = _list(field.get("anyOf")) or _list(field.get("oneOf"))
        if depth > _DEEPEST:
            return "…"
        if "enum" in resolved or "const" in resolved:
            return " or ".join(map(_shown, _list(resolved.get("enum")) or [resolved.get("const")]))
        if choices:
            return " or ".join(self._kind(_dict(one), depth + 1) for one in choices)
        if resolved is not field:
            return "object" if "properties" in resolved else self._kind(resolved, depth + 1)
        if field.get("type") == "array":
            return f"list of {self._kind(_dict(field.get('items')), depth + 1)}{_bounds(field)}"
        kinds = " or ".join(map(str, _list(field.get("type")))) or field.get("type")
        return f"{field.get('format') or kinds or 'anything'}{_bounds(field)}"

    def _resolved(self, schema: Schema) -> Schema:
        name = str(schema.get("$ref")).removeprefix("#/$defs/")
        return _dict(self._definitions.get(name)) or schema


def _dict(value: Any) -> Schema:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _bounds(field: Schema) -> str:
    if "minItems" in field and field["minItems"] == field.get("maxItems"):
        return f" ({field['minItems']} of them)"
    found = [f"{sign} {field[key]}" for key, sign in _NUMBERS.items() if key in field]
    found += [text.format(field[key]) for key, text in _SIZES.items() if key in field]
    return f" ({', '.join(found)})" if found else ""


def _otherwise(field: Schema, is_required: bool) -> str:
    if "default" in field:
        return f" = {_shown(field['default'])}"
    return "" if is_required else ", may be left out"


def _about(field: Schema) -> str:
    return f"  — {field['description']}" if isinstance(field.get("description"), str) else ""


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
