"""Pydantic's types, of both its generations: as variables, as answers, and described. Never imported here: a type of
the author's proves that the module is there. The first generation lives on in the second as `pydantic.v1`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any, Literal

import msgspec

from ..errors import InvalidVariables, misfit

Mode = Literal["validation", "serialization"]


def is_pydantic(kind: Any) -> bool:
    """Whether it is a model, or a dataclass of pydantic's own, of either generation."""
    return hasattr(kind, "__pydantic_validator__") or _first_generation(kind) is not None


def converter(kind: Any) -> Callable[[bytes], Any]:
    """From JSON to the type. Raises InvalidVariables, with its field relative to them."""
    first = _first_generation(kind)
    return _second_converter(kind) if first is None else _first_converter(kind, *first)


def schema(kind: Any, mode: Mode) -> dict[str, Any] | None:
    """The JSON Schema of the type, its references under `#/$defs/`; None where it is none of pydantic's."""
    if (first := _first_generation(kind)) is not None:
        return _first_schema(first[0])
    if not hasattr(kind, "__pydantic_validator__"):
        return None
    adapter = sys.modules["pydantic"].TypeAdapter(kind)
    found: dict[str, Any] = adapter.json_schema(mode=mode, ref_template="#/$defs/{model}")
    return found


def as_plain(value: Any) -> Any:
    """What its own type makes of a value for JSON: by aliases, with its serializers. The value itself where its type
    is none of pydantic's."""
    kind = type(value)
    if (serializer := getattr(kind, "__pydantic_serializer__", None)) is not None:
        dump = getattr(value, "model_dump", None) or partial(serializer.to_python, value)
        try:
            return dump(mode="json", by_alias=True)
        except ValueError:  # it holds what pydantic doesn't know, an array say
            return dump(mode="python", by_alias=True)
    if isinstance(value, BaseException) or (first := _first_generation(kind)) is None or first[0] is not kind:
        return value
    try:
        return json.loads(value.json(by_alias=True))
    except TypeError:  # likewise
        return value.dict(by_alias=True)


def _second_converter(kind: Any) -> Callable[[bytes], Any]:
    pydantic = sys.modules["pydantic"]
    validate = pydantic.TypeAdapter(kind).validate_json

    def convert(raw: bytes) -> Any:
        try:
            return validate(raw)
        except pydantic.ValidationError as error:
            raise _refusal(error) from None

    return convert


def _first_converter(kind: Any, model: Any, pydantic: ModuleType) -> Callable[[bytes], Any]:
    def convert(raw: bytes) -> Any:
        try:
            validated = model.parse_obj(msgspec.json.decode(raw))
            if model is kind:
                return validated
            return kind(**{name: getattr(validated, name) for name in model.__fields__})  # a dataclass
        except pydantic.ValidationError as error:
            raise _refusal(error) from None

    return convert


def _refusal(error: Any) -> InvalidVariables:
    first = error.errors()[0]
    return misfit(first["msg"], ".".join(str(part) for part in first["loc"]))


def _first_schema(model: Any) -> dict[str, Any]:
    found = dict(model.schema(ref_template="#/$defs/{model}"))
    if "definitions" in found:
        found["$defs"] = found.pop("definitions")
    return found


def _first_generation(kind: Any) -> tuple[Any, ModuleType] | None:
    """The model that the type is, or that stands behind a dataclass, and the module that it comes from."""
    model = getattr(kind, "__pydantic_model__", kind)
    for name in ("pydantic", "pydantic.v1"):
        pydantic = sys.modules.get(name)
        base = None if pydantic is None or hasattr(pydantic, "TypeAdapter") else getattr(pydantic, "BaseModel", None)
        if pydantic is not None and isinstance(base, type) and isinstance(model, type) and issubclass(model, base):
            return model, pydantic
    return None
