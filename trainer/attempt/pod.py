"""What is different where a pod runs the attempt."""

from __future__ import annotations

from collections.abc import MutableMapping

from core.process.privacy import forbid_dumping

STORE_PREFIX = "PAWL_STORE_"
"""Of the variables with the login for the artifact store."""


def take_store_login(environ: MutableMapping[str, str]) -> dict[str, str]:
    """Give the login to this process under the names that the stores' tools know; what its children may see.

    They are of the same user, and could read what this process was started with.
    """
    forbid_dumping()
    ours = {name: value for name, value in environ.items() if name.startswith(STORE_PREFIX)}
    others = {name: value for name, value in environ.items() if name not in ours}
    environ.update({name.removeprefix(STORE_PREFIX): value for name, value in ours.items()})
    return others
