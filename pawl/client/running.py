"""The server that runs in the folder that the settings here name."""

from __future__ import annotations

from collections.abc import Mapping

from core.errors import PawlError
from core.settings.reading import read_settings
from server.process.running_file import Running, read_running


def running_here(environ: Mapping[str, str]) -> Running | None:
    """None where none runs, or where the settings are not valid."""
    try:
        return read_running(read_settings(environ).data)
    except PawlError:
        return None


def token_here(environ: Mapping[str, str]) -> str:
    """Its ADMIN_TOKEN, as far as this user may read it: the setting, or what its first start made."""
    from server.access.admin_token import NAME  # here: most commands need none of it

    try:
        settings = read_settings(environ)
        return settings.admin_token or (settings.data / NAME).read_text().strip()
    except (PawlError, OSError, UnicodeDecodeError):
        return ""
