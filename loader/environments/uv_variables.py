"""The environment variables that uv gets: where packages come from and by which way, but nothing else of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

_OPERATORS = re.compile(
    r"UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|INDEX_STRATEGY|INDEX_[A-Z0-9_]+_(USERNAME|PASSWORD)|FIND_LINKS"
    r"|NO_INDEX|OFFLINE|KEYRING_PROVIDER|INSECURE_HOST|NATIVE_TLS|SYSTEM_CERTS|HTTP_[A-Z_]+|REQUEST_TIMEOUT"
    r"|CONCURRENT_[A-Z]+|CACHE_DIR|LINK_MODE|EXCLUDE_NEWER|CONFIG_FILE|NO_CONFIG|GITHUB_TOKEN|GIT_LFS|TORCH_BACKEND)"
)
"""Of uv's own variables, those that an operator may set. The others would have it install other things than the author
wants, or in another place than the one it is given."""

_MISLEADING = re.compile(r"PYTHON.*|VIRTUAL_ENV|CONDA_PREFIX|UV_.*")

_OF_PIP = {
    "PIP_INDEX_URL": ("UV_DEFAULT_INDEX", ("UV_DEFAULT_INDEX", "UV_INDEX_URL")),
    "PIP_EXTRA_INDEX_URL": ("UV_EXTRA_INDEX_URL", ("UV_EXTRA_INDEX_URL", "UV_INDEX")),
    "PIP_NO_INDEX": ("UV_NO_INDEX", ("UV_NO_INDEX",)),
    "PIP_FIND_LINKS": ("UV_FIND_LINKS", ("UV_FIND_LINKS",)),
    "PIP_TRUSTED_HOST": ("UV_INSECURE_HOST", ("UV_INSECURE_HOST",)),
    "REQUESTS_CA_BUNDLE": ("SSL_CERT_FILE", ("SSL_CERT_FILE", "SSL_CERT_DIR")),
    "PIP_CERT": ("SSL_CERT_FILE", ("SSL_CERT_FILE", "SSL_CERT_DIR")),
    "PIP_CLIENT_CERT": ("SSL_CLIENT_CERT", ("SSL_CLIENT_CERT",)),
    "PIP_PROXY": ("ALL_PROXY", ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "https_proxy", "http_proxy")),
}
"""pip's variable → uv's, and those of uv that win over pip's."""

_DEFAULTS = {
    "UV_INDEX_STRATEGY": "unsafe-best-match",  # as pip: the best version of all indexes, not all of the first's
    "UV_LINK_MODE": "hardlink",  # so that equal files of environments can be told by their inodes
}


def variables(env: Mapping[str, str], cache: Path | None) -> dict[str, str]:
    """What of `env` uv gets to see, with `cache` for its own files unless the operator says where; None: its choice."""
    kept = {name: value for name, value in env.items() if _OPERATORS.fullmatch(name) or not _MISLEADING.fullmatch(name)}
    places = {"UV_CACHE_DIR": str(cache)} if cache else {}
    home = {} if Path(env.get("HOME", "")).is_absolute() else {"HOME": str(cache or "/")}
    return {**_DEFAULTS, **places, **dict(_from_pip(env)), **kept, **home}


def _from_pip(env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, (ours, winning) in _OF_PIP.items():
        if env.get(name) and not any(other in env for other in winning):
            # pip parts several by spaces, uv's places by commas
            yield ours, ",".join(env[name].split()) if ours == "UV_FIND_LINKS" else env[name]
