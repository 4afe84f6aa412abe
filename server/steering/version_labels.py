"""Versions as they are written in the registry and in messages."""

from __future__ import annotations

import re

from core.release import Served, Version


def version_of(label: str, commit: str) -> Version:
    found = re.fullmatch(r"v(\d{1,18})", label)
    return Version(int(found[1]) if found else 0, commit)


def told(served: Served) -> str:
    """For people: `v3`, or `v3 (run KEY)`."""
    run = served.release.run
    return served.version.label + (f" (run {run})" if run else "")
