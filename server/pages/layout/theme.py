"""Light or dark: as the browser has it, unless its user chose."""

from __future__ import annotations

from enum import StrEnum

from starlette.requests import Request

COOKIE = "pawl_theme"
KEPT_S = 365 * 24 * 3600


class Theme(StrEnum):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


def theme_of(request: Request) -> Theme:
    return theme(request.cookies.get(COOKIE, ""))


def theme(name: str) -> Theme:
    """Anything else is what the system has."""
    return Theme(name) if name in list(Theme) else Theme.SYSTEM
