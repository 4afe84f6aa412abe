"""What is in effect for a model, and where each value comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from core.manifest.manifest import Manifest, Serve
from server.state import LiveRelease
from worker.wire.messages import Description


@dataclass(frozen=True)
class Line:
    key: str
    value: str
    source: str


_DEFAULT = Serve()


def configuration(live: LiveRelease, settings: Mapping[str, str]) -> tuple[Line, ...]:
    """`settings`: the server's, by the names of those of a model that they stand in for."""
    serve = [_serve(name, getattr(live.manifest.serve, name), live, settings) for name in Serve.__struct_fields__]
    return (*serve, *_found_out(live.description), *_rest(live.manifest))


def _found_out(found: Description) -> list[Line]:
    how = "interleaved" if found.concurrent else f"in {found.threads} threads" if found.threads else "one by one"
    lines = [Line("requests run", how, f"found out: {found.why}" if found.why else "found out")]
    return [*lines, Line("python", found.python, "the server's")] if found.python else lines


def _serve(name: str, value: object, live: LiveRelease, settings: Mapping[str, str]) -> Line:
    key, is_default = f"serve.{name}", value == getattr(_DEFAULT, name)
    if value is not None:
        return Line(key, _text(value), "default" if is_default else "model.yaml")
    if name in settings:
        return Line(key, settings[name], f"the server's {name.upper()}")
    if name == "concurrent":
        return Line(key, _text(live.description.concurrent), "found out")
    return Line(key, "no limit", "default")


def _rest(manifest: Manifest) -> list[Line]:
    lines = [Line("description", manifest.description, "model.yaml")] if manifest.description else []
    if manifest.uses:
        lines.append(Line("uses", ", ".join(manifest.uses), "model.yaml"))
    if manifest.metadata:
        lines.append(Line("metadata", _text(manifest.metadata), "model.yaml"))
    if manifest.train is not None:
        lines += [Line(f"train.{name}", _text(value), "model.yaml") for name, value in _given(manifest.train)]
    return lines


def _given(section: msgspec.Struct) -> list[tuple[str, object]]:
    """What isn't left as it is by default."""
    default = type(section)()
    return [
        (name, getattr(section, name))
        for name in section.__struct_fields__
        if getattr(section, name) != getattr(default, name)
    ]


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return f"{value:g}"
    built = msgspec.to_builtins(value)
    if isinstance(built, dict):
        return ", ".join(f"{name}: {_text(one)}" for name, one in built.items() if one is not None)
    return msgspec.json.encode(built).decode()
