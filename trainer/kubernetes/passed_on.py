"""What pods get of the server's own environment: by which way they reach others, and where packages come from. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.redaction import secrets_in

_WAYS = re.compile(r"(HTTPS?|ALL|NO)_PROXY", re.IGNORECASE)
_PACKAGES = re.compile(
    r"PIP_(INDEX_URL|EXTRA_INDEX_URL|NO_INDEX|TRUSTED_HOST|PROXY)"
    r"|UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|INDEX_STRATEGY|NO_INDEX|INSECURE_HOST|EXCLUDE_NEWER"
    r"|TORCH_BACKEND|HTTP_[A-Z_]+|REQUEST_TIMEOUT|CONCURRENT_[A-Z]+)"
)
_LOGINS = re.compile(r"UV_(INDEX_[A-Z0-9_]+_(USERNAME|PASSWORD)|GITHUB_TOKEN)")


def passed_on(environ: Mapping[str, str]) -> dict[str, str]:
    """Whoever may read Jobs sees it, so nothing that carries a login."""
    return {name: value for name, value in environ.items() if value and _is_meant(name) and not secrets_in(value)}


def kept_back(environ: Mapping[str, str]) -> list[str]:
    """Names of the variables that pods would need and don't get, for they carry a login."""
    return sorted(
        name
        for name, value in environ.items()
        if value and (_LOGINS.fullmatch(name) or (_is_meant(name) and secrets_in(value)))
    )


def _is_meant(name: str) -> bool:
    return bool(_WAYS.fullmatch(name) or (_PACKAGES.fullmatch(name) and not _LOGINS.fullmatch(name)))
