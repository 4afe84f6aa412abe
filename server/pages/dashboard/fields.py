"""A form's fields, made of a model's schema and an example, and the variables that a filled form stands for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

Schema = Mapping[str, Any]

_MOST_CHOICES = 100
_DEEPEST = 4
"""Objects within objects that get fields of their own; below, they are written as JSON."""
_MOST_FIELDS = 120


@dataclass(frozen=True)
class Field:
    """One property. Texts, none of them escaped."""

    path: tuple[str, ...]
    kind: str
    """number, integer, text, checkbox, choice or json."""
    value: str
    hint: str
    is_required: bool
    choices: tuple[str, ...] = ()
    least: str = ""
    most: str = ""
    error: str = ""

    @property
    def label(self) -> str:
        return ".".join(self.path)

    @property
    def name(self) -> str:
        """In the form."""
        return f"v.{self.label}"

    @property
    def group(self) -> str:
        """The object that it is a property of; empty: of the variables themselves."""
        return ".".join(self.path[:-1])


def fields(schema: Schema | None, example: object) -> tuple[Field, ...]:
    """`schema`: None where the model gives none: then the example alone says what there is. `()`: not an object."""
    if schema is None:
        found = list(_of_example((), example)) if isinstance(example, dict) else []
    else:
        root = _resolved(schema, schema)
        found = list(_of_schema((), root, schema, example if isinstance(example, dict) else {}))
    return tuple(found) if len(found) <= _MOST_FIELDS else ()


def filled(given: tuple[Field, ...], form: Mapping[str, str]) -> tuple[tuple[Field, ...], dict[str, Any]]:
    """The fields as they were filled, with an error where one can't be read, and the variables of the others."""
    variables: dict[str, Any] = {}
    read = []
    for field in given:
        text = ("true" if field.name in form else "") if field.kind == "checkbox" else form.get(field.name, "").strip()
        field = replace(field, value=text)
        try:
            if text or field.kind == "checkbox":
                _put(variables, field.path, _read(field, text))
            elif field.is_required and field.kind == "text":
                _put(variables, field.path, "")
            elif field.is_required:
                field = replace(field, error="it is required")
        except ValueError as error:
            field = replace(field, error=str(error))
        read.append(field)
    return tuple(read), variables


def _of_example(path: tuple[str, ...], example: Mapping[str, Any], depth: int = 0) -> Iterator[Field]:
    for name, value in example.items():
        where = (*path, str(name))
        if isinstance(value, dict) and value and depth < _DEEPEST:
            yield from _of_example(where, value, depth + 1)
        else:
            kind = _kind_of_value(value)
            yield Field(where, kind, _shown(kind, value), _HINTS[kind], False)


def _of_schema(
    path: tuple[str, ...], schema: Schema, root: Schema, example: Mapping[str, Any], depth: int = 0
) -> Iterator[Field]:
    required = schema.get("required")
    required = required if isinstance(required, list) else []
    properties = schema.get("properties")
    for name, part in (properties if isinstance(properties, dict) else {}).items():
        where, one, value = (*path, str(name)), _resolved(part, root), example.get(name)
        if isinstance(one.get("properties"), dict) and depth < _DEEPEST:
            yield from _of_schema(where, one, root, value if isinstance(value, dict) else {}, depth + 1)
        else:
            yield _field(where, one, value if name in example else one.get("default"), name in required)


def _field(path: tuple[str, ...], schema: Schema, value: object, is_required: bool) -> Field:
    choices = schema.get("enum")
    if isinstance(choices, list) and 0 < len(choices) <= _MOST_CHOICES and all(isinstance(one, str) for one in choices):
        hint = f"one of {len(choices)}{'; required' if is_required else ''}"
        return Field(path, "choice", str(value or ""), hint, is_required, tuple(choices))
    kind = {"number": "number", "integer": "integer", "string": "text", "boolean": "checkbox"}.get(
        _type(schema), "json"
    )
    least, most = _bound(schema, "minimum"), _bound(schema, "maximum")
    return Field(path, kind, _shown(kind, value), _hint(schema, kind, is_required), is_required, (), least, most)


def _hint(schema: Schema, kind: str, is_required: bool) -> str:
    parts = [_HINTS[kind]]
    least, most = _bound(schema, "minimum"), _bound(schema, "maximum")
    if least and most:
        parts[0] += f", {least} to {most}"
    elif least or most:
        parts[0] += f", {least} or more" if least else f", {most} or less"
    if is_required:
        parts.append("required")
    if isinstance(schema.get("description"), str):
        parts.append(schema["description"])
    return "; ".join(parts)


_HINTS = {"number": "number", "integer": "integer", "text": "text", "checkbox": "yes or no", "json": "JSON"}


def _bound(schema: Schema, name: str) -> str:
    value = schema.get(name)
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _type(schema: Schema) -> str:
    found = schema.get("type")
    return found if isinstance(found, str) else ""


def _resolved(schema: object, root: Schema) -> Schema:
    """Without references within the document and without a choice of null; anything else is not a schema of ours."""
    for _ in range(10):
        if not isinstance(schema, Mapping):
            return {}
        reference, choices = schema.get("$ref"), schema.get("anyOf")
        if isinstance(reference, str) and reference.startswith("#/$defs/"):
            defs = root.get("$defs")
            schema = defs.get(reference.removeprefix("#/$defs/")) if isinstance(defs, dict) else None
        elif isinstance(choices, list) and len(rest := [one for one in choices if one != {"type": "null"}]) == 1:
            schema = {**{key: value for key, value in schema.items() if key != "anyOf"}, **_mapping(rest[0])}
        else:
            return schema
    return {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _kind_of_value(value: object) -> str:
    if isinstance(value, bool):
        return "checkbox"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "json"


def _shown(kind: str, value: object) -> str:
    if value is None:
        return ""
    if kind == "text" and isinstance(value, str):
        return value
    return ("true" if value is True else "") if kind == "checkbox" else json.dumps(value, ensure_ascii=False)


def _read(field: Field, text: str) -> object:
    """Raises ValueError, with what it takes."""
    match field.kind:
        case "checkbox":
            return text == "true"
        case "text" | "choice":
            return text
        case "json":
            return _json(text)
    return _number(text, field.kind)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"not valid JSON: {error}") from error


def _number(text: str, kind: str) -> float | int:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if kind == "integer" or found != found or found in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:50]!r} was sent; it takes a{'n integer' if kind == 'integer' else ' number'}")
    return found


def _put(variables: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    for name in path[:-1]:
        variables = variables.setdefault(name, {})
    variables[path[-1]] = value
