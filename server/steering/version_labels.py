"""Versions as they are written in the registry and in messages."""

from __future__ import annotations

import re

from core.release import Served, Version


def version_of(label: str, commit: str) -> Version:
    found = re.fullmatch(r"v(\d{1,18})", label)
    return Version(int(found[1]) if found else 0, commit)


def told_apart(one: Served, other: Served) -> tuple[str, str]:
    """Both for people, with their commits where nothing else differs."""
    names = told(one), told(other)
    if names[0] != names[1]:
        return names
    return f"{names[0]} ({one.version.commit[:7]})", f"{names[1]} ({other.version.commit[:7]})"


def told(served: Served) -> str:
    """For people: `v3`, or `v3 (run KEY)`."""
    run = served.release.run
    return served.version.label + (f" (run {run})" if run else "")
