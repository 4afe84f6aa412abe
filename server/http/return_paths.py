"""Where a browser goes back to once somebody has signed in: to what is below `/-/`, and nowhere else."""

from __future__ import annotations

import re

from core.paths import ADMIN

_BELOW = f"{ADMIN.template}/"
_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")
_LONGEST = 1000


def return_path(asked: str) -> str:
    """What of `asked` is below `/-/`; empty where that is nothing of ours.

    It is put behind a "../", so whatever it is, a browser stays here.
    """
    path = asked.partition(_BELOW)[2] if asked.startswith("/") else asked
    is_plain = len(path) <= _LONGEST and _PATH.fullmatch(path) is not None
    return path if is_plain and ".." not in path.split("?")[0].split("/") else ""


def below_admin(path: str, query: str) -> str:
    """The same of a request's own address."""
    return return_path(path + (f"?{query}" if query else ""))


def up_to_admin(path: str) -> str:
    """From a request's path to `/-/`, relatively: what holds behind any proxy."""
    return "../" * path.partition(_BELOW)[2].count("/")
