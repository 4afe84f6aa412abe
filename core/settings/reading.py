"""Reads the settings from environment variables, and says which of these no child process gets to see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec

from core.errors import SettingError
from core.settings.settings import SECRETS, Settings

_PASSWORD = "password"
_OLDER = {"DAEMONSECS": "sync_seconds", _PASSWORD: "gitpassword"}
"""Names that an older tool of this kind had, spelt so. The second is so common that it counts beside a user alone."""
_WORDS = frozenset({"device", "variables", "log_level", "auth"})
_TRACES_SECRETS = {"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"}
"""Variables of OpenTelemetry's that hold a collector's key."""
_AS_THEY_ARE = frozenset({"usergit", "gitpassword", "webhook_secret", "admin_token"})
"""A quote may be part of these."""
_SILENT = SECRETS - {"git_path"}
PREFIX = "pawl"
DEFAULTS = "PAWL_DEFAULTS"
"""Holds settings, as `HOST=0.0.0.0 DATA_DIR=/data`, that are the defaults of a place: an empty variable leaves them."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`; names match without regard to case and underscores, and PAWL_ ones win.

    Raises SettingError, in one line, naming the variable, what it held and what it takes.
    """
    place = dict(part.split("=", 1) for part in environ.get(DEFAULTS, "").split() if "=" in part)
    return Settings(**{**_values(place, f" in {DEFAULTS}"), **_values(environ)})


def _values(environ: Mapping[str, str], where: str = "") -> dict[str, Any]:
    hints = get_type_hints(Settings, include_extras=True)
    return {
        field: _convert(variable + where, environ[variable], hints[field], field)
        for field, variable in _find(environ).items()
    }


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` without Pawl's secrets: what a child process may see."""
    secret = {plain_name(name) for name in SECRETS}
    secret |= {PREFIX + name for name in secret} | {plain_name(DEFAULTS)}  # which may hold any of them
    secret |= {PREFIX + "token"}  # of the command line: an ADMIN_TOKEN
    older = {name for field, name in _find_older(environ).items() if field in SECRETS} | _TRACES_SECRETS
    return {name: value for name, value in environ.items() if plain_name(name) not in secret and name not in older}


def _find(environ: Mapping[str, str]) -> dict[str, str]:
    """Field → name of the variable that sets it."""
    by_plain_name: dict[str, str] = {}
    for variable in environ:
        if _is_set(plain_name(variable), environ[variable]):
            by_plain_name.setdefault(plain_name(variable), variable)
    found = _find_older(environ)
    for field in Settings.__struct_fields__:
        plain = plain_name(field)
        if PREFIX + plain in by_plain_name:
            found[field] = by_plain_name[PREFIX + plain]
        elif plain in by_plain_name:
            found[field] = by_plain_name[plain]
    return found


def _find_older(environ: Mapping[str, str]) -> dict[str, str]:
    """The same of the names that older tools gave some."""
    has_user = any(value and plain_name(name) in ("usergit", PREFIX + "usergit") for name, value in environ.items())
    return {field: name for name, field in _OLDER.items() if environ.get(name) and (has_user or name != _PASSWORD)}


def _is_set(plain: str, value: str) -> bool:
    """An empty variable is not set, as in an env file, but for the base path, which may be empty.

    Kubernetes gives every pod beside a Service named `pawl` a PAWL_PORT of its own making, `tcp://10.0.0.1:8000`.
    """
    if plain == PREFIX + "port" and value.startswith(("tcp://", "udp://", "sctp://")):
        return False
    return value != "" or plain in ("baseurl", PREFIX + "baseurl")


def plain_name(name: str) -> str:
    """As names of variables are compared."""
    return name.replace("_", "").lower()


def _convert(variable: str, text: str, kind: Any, field: str) -> Any:
    plain = text.strip()
    if field not in _AS_THEY_ARE:
        # A file for `docker --env-file` is not read by a shell: quotes are kept.
        plain = re.sub(r"""^(["'])(.*)\1$""", r"\2", plain)
    if field in _WORDS:
        plain = plain.lower()  # people write INFO
    try:
        return msgspec.convert(plain, kind, strict=False)
    except msgspec.ValidationError as error:
        held = "(hidden)" if field in _SILENT else repr(text)
        raise SettingError(f"{variable} is {held}; it takes {_takes(kind)}") from error


def _takes(kind: Any) -> str:
    for meta in getattr(kind, "__metadata__", ()):
        if meta.description:
            return str(meta.description)
    return re.sub(r"<class '(.*)'>", r"\1", str(kind))
