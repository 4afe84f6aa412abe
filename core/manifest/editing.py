"""Edits the text of a `model.yaml`: what stays the same keeps its place, its comments and the way it is written."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString
from ruamel.yaml.util import load_yaml_guess_indent

from core.errors import PawlError
from core.manifest.plain_yaml import NotPlain, read_yaml

_WIDE = 1 << 20
"""Columns: no line is folded that was not."""


class NotEditable(PawlError):
    """The text is written in a way that can't be kept; it is left as it is."""


def read_content(text: bytes) -> dict[str, Any]:
    """What the text says. Raises NotEditable for what is not a mapping."""
    try:
        content = read_yaml(text).content
    except (NotPlain, yaml.YAMLError) as error:
        raise NotEditable(f"model.yaml can't be read as it is: {error}") from error
    if content is not None and not isinstance(content, dict):
        raise NotEditable("model.yaml holds no keys and values as it is")
    return content or {}


def edited(text: bytes, wanted: Mapping[str, Any]) -> bytes:
    """The text, changed where it doesn't say what is wanted. Raises NotEditable."""
    before = read_content(text)
    if before == wanted:
        return text
    try:
        changed = _dump(text, before, wanted)
    except (YAMLError, UnicodeDecodeError) as error:
        raise NotEditable("model.yaml is written in a way that can't be edited here; edit it as text") from error
    if read_content(changed) != wanted:
        raise NotEditable("model.yaml would not say afterwards what was meant; edit it as text")
    return changed


def _dump(text: bytes, before: Mapping[str, Any], wanted: Mapping[str, Any]) -> bytes:
    source = text.decode()
    _, indent, offset = load_yaml_guess_indent(source)
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = _WIDE
    if indent is not None:
        editor.indent(mapping=2, sequence=indent, offset=offset)
    document = editor.load(source)
    if not isinstance(document, CommentedMap):
        return _new(source, wanted)
    _merge(document, before, wanted)
    written = io.BytesIO()
    editor.dump(document, written)
    return written.getvalue()


def _new(source: str, wanted: Mapping[str, Any]) -> bytes:
    """Of a text that holds nothing but comments, if that."""
    written = io.StringIO()
    YAML().dump({key: _written(value) for key, value in wanted.items()}, written)
    kept = source.rstrip("\n") + "\n" if source.strip() else ""
    return (kept + written.getvalue()).encode()


def _merge(into: CommentedMap, before: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for key in [key for key in before if key not in wanted]:
        del into[key]
    for key, value in wanted.items():
        old = before.get(key)
        if key in before and old == value and type(old) is type(value):
            continue
        if isinstance(value, dict) and isinstance(old, dict) and isinstance(into.get(key), CommentedMap):
            _merge(into[key], old, value)
        else:
            into[key] = _written(value)


def _written(value: Any) -> Any:
    """As YAML 1.1 reads it too, to which `yes` and `0x1F` are not text."""
    if isinstance(value, dict):
        return {key: _written(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_written(one) for one in value]
    if not isinstance(value, str):
        return value
    if "\n" in value.strip("\n") and value == value.strip(" \t") and "\r" not in value:
        return LiteralScalarString(value)
    return value if _reads_plain(value) else DoubleQuotedScalarString(value)


def _reads_plain(value: str) -> bool:
    try:
        return bool(value) and read_yaml(f"a: {value}\n".encode()).content == {"a": value}
    except (NotPlain, yaml.YAMLError):
        return False
