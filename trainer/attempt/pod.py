"""What is different where a pod runs the attempt."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

from core.process.privacy import forbid_dumping

STORE_PREFIX = "PAWL_STORE_"
"""Of the variables with the login for the artifact store."""
INDEX_PREFIX = "PAWL_INDEX_"
"""Of those with the logins for package indexes."""

_IDENTITIES: Mapping[str, tuple[str, ...]] = {
    "AWS_WEB_IDENTITY_TOKEN_FILE": ("AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME"),
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": ("AWS_CONTAINER_CREDENTIALS_FULL_URI",),
    "AZURE_FEDERATED_TOKEN_FILE": ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_AUTHORITY_HOST"),
}
"""What a cloud's webhook gives a pod that has a service account with workload identity: by the variable that names the
token, the others."""


@dataclass(frozen=True)
class PodEnvironment:
    """Who sees which variables. All are of the same user, and could read what this process was started with."""

    of_code: Mapping[str, str]
    """What the author's code sees."""
    of_builds: Mapping[str, str]
    """What building its environment sees besides: the logins for package indexes."""


def take_logins(environ: MutableMapping[str, str]) -> PodEnvironment:
    """Give the login for the store to this process, under the names that the stores' tools know. A pod's identity stays
    where they look for it, and nobody else is told of it."""
    forbid_dumping()
    store, index = (_with_prefix(environ, prefix) for prefix in (STORE_PREFIX, INDEX_PREFIX))
    own = {name for token, more in _IDENTITIES.items() if token in environ for name in (token, *more)}
    others = {
        name: value
        for name, value in environ.items()
        if name not in own and not name.startswith((STORE_PREFIX, INDEX_PREFIX))
    }
    environ.update(store)
    return PodEnvironment(others, {**others, **index})


def _with_prefix(environ: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): value for name, value in environ.items() if name.startswith(prefix)}
