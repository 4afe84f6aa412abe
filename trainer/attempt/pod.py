"""What is different where a pod runs the attempt."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

from core.process.privacy import forbid_dumping

STORE_PREFIX = "PAWL_STORE_"
"""Of the variables with the login for the artifact store."""
INDEX_PREFIX = "PAWL_INDEX_"
"""Of those with the logins for package indexes."""


@dataclass(frozen=True)
class PodEnvironment:
    """Who sees which variables. All are of the same user, and could read what this process was started with."""

    of_code: Mapping[str, str]
    """What the author's code sees."""
    of_builds: Mapping[str, str]
    """What building its environment sees besides: the logins for package indexes."""


def take_logins(environ: MutableMapping[str, str]) -> PodEnvironment:
    """Give the login for the store to this process, under the names that the stores' tools know."""
    forbid_dumping()
    store, index = (_with_prefix(environ, prefix) for prefix in (STORE_PREFIX, INDEX_PREFIX))
    others = {name: value for name, value in environ.items() if not name.startswith((STORE_PREFIX, INDEX_PREFIX))}
    environ.update(store)
    return PodEnvironment(others, {**others, **index})


def _with_prefix(environ: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): value for name, value in environ.items() if name.startswith(prefix)}
