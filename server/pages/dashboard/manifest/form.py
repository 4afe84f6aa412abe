"""The form of a model's `model.yaml`: a field for each setting, or the text as it is."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from core.errors import ReleaseFailed
from core.manifest.editing import NotEditable, edited, read_content
from core.manifest.errors import TAKES
from core.manifest.manifest import Manifest, Serve, parse_manifest
from server.pages.dashboard.fields import Field

_CHOICES = {"swap": ("beside", "replace"), "variables": ("dict", "dataframe"), "concurrent": ("true", "false")}
_TEXTS = {"device"}
_EMPTY = {
    "concurrent": "found out from the class",
    "memory_mb": "no limit",
    "gpu_memory_mb": "no limit",
    "variables": "as VARIABLES says",
    "device": "as DEVICE says",
}
"""Where the default is no value."""
_DEFAULT = Serve()
_TEXT_MODE = "text"
_SERVE = "serve"


@dataclass(frozen=True)
class ManifestForm:
    """As it is shown."""

    fields: tuple[Field, ...]
    """Empty: the text is edited as it is."""
    text: str
    error: str = ""

    @property
    def is_wrong(self) -> bool:
        return bool(self.error) or any(field.error for field in self.fields)


def blank(text: bytes, *, as_text: bool) -> ManifestForm:
    """Before anybody changed something. What can't be read field by field is shown as text, and why."""
    try:
        content = {} if as_text else read_content(text)
    except NotEditable as problem:
        return ManifestForm((), _decoded(text), str(problem))
    return ManifestForm(() if as_text else _fields(content), _decoded(text))


def filled(before: bytes, form: Mapping[str, str]) -> tuple[ManifestForm, bytes]:
    """The form as it was sent, and the text that it stands for; that is only to be used where nothing is wrong.

    Browsers send lines as mails have them; they are written as they were before.
    """
    shown, text = _filled(before, form)
    unix = text.replace(b"\r\n", b"\n")
    return shown, unix.replace(b"\n", b"\r\n") if b"\r\n" in before else unix


def _filled(before: bytes, form: Mapping[str, str]) -> tuple[ManifestForm, bytes]:
    if (text := form.get(_TEXT_MODE)) is not None:
        return ManifestForm((), text, _why_not(text.encode())), text.encode()
    try:
        content = read_content(before)
    except NotEditable as problem:
        return ManifestForm((), _decoded(before), str(problem)), before
    wanted = copy.deepcopy(content)
    fields = tuple(_taken(field, form.get(field.name), wanted) for field in _fields(content))
    shown = ManifestForm(fields, _decoded(before))
    return (shown, before) if shown.is_wrong else _written(shown, before, wanted)


def _written(shown: ManifestForm, before: bytes, wanted: dict[str, Any]) -> tuple[ManifestForm, bytes]:
    try:
        text = edited(before, wanted)
    except NotEditable as problem:
        return replace(shown, error=str(problem)), before
    return replace(shown, error=_why_not(text)), text


def _why_not(text: bytes) -> str:
    try:
        parse_manifest(text)
    except ReleaseFailed as failure:
        return str(failure)
    return ""


def _fields(content: Mapping[str, Any]) -> tuple[Field, ...]:
    serve = content.get(_SERVE)
    serve = serve if isinstance(serve, dict) else {}
    about = content.get("description")
    metadata = content.get("metadata")
    return (
        Field(("description",), "prose", about if isinstance(about, str) else "", "one line, or several", False),
        Field(("metadata",), "json", _json(metadata) if metadata else "", "JSON: keys and values", False),
        *(_setting(name, serve.get(name)) for name in Serve.__struct_fields__),
    )


def _setting(name: str, value: Any) -> Field:
    default = getattr(_DEFAULT, name)
    empty = f"empty: {_EMPTY.get(name) or _shown(default)}"
    hint = f"{TAKES[f'{_SERVE}.{name}']}; {empty}"
    shown = "" if value is None else _shown(value)
    if name in _CHOICES:
        others = () if shown in ("", *_CHOICES[name]) else (shown,)
        return Field((_SERVE, name), "choice", shown, empty, False, (*_CHOICES[name], *others))
    return Field((_SERVE, name), "text" if name in _TEXTS else "number", shown, hint, False)


def _taken(field: Field, sent: str | None, wanted: dict[str, Any]) -> Field:
    """The field as it was filled; what it stands for goes into `wanted`, or out of it, where somebody changed it.

    `sent`: None where the form that was sent has no such field.
    """
    shown = _unix(field.value)
    text = shown if sent is None else _unix(sent)
    field = replace(field, value=text)
    try:
        value = _checked(field, text.strip()) if text.strip() else None
    except (ValueError, RecursionError):
        return replace(field, error=f"{_cut(text.strip())} was sent; it takes {TAKES[field.label]}")
    if text != shown:
        _put(wanted, field.path, value)
    return field


def _checked(field: Field, text: str) -> Any:
    """Raises ValueError."""
    value = _value(field, text)
    *outer, name = field.path
    msgspec.convert({outer[0]: {name: value}} if outer else {name: value}, Manifest)
    return value


def _put(wanted: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """None: it goes; and so does what holds nothing then."""
    *outer, name = path
    for key in outer:
        inner = wanted.get(key)
        wanted[key] = inner if isinstance(inner, dict) else {}
    inner = wanted[outer[0]] if outer else wanted
    if value is None:
        inner.pop(name, None)
    else:
        inner[name] = value
    if outer and not inner:
        del wanted[outer[0]]


def _value(field: Field, text: str) -> Any:
    """Raises ValueError."""
    if field.kind in ("text", "prose"):
        return text
    if field.kind == "choice":
        return text == "true" if field.path[-1] == "concurrent" and text in ("true", "false") else text
    return json.loads(text, parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _shown(value: Any) -> str:
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"  # 30 rather than 30.0
    return value if isinstance(value, str) else _json(value)


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2 if isinstance(value, dict) else None)


def _cut(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


def _decoded(text: bytes) -> str:
    return text.decode(errors="replace")
