"""What must be installed where a worker runs. Imports nothing that may be missing or too old there."""

from __future__ import annotations

import importlib
import re

OLDEST: dict[str, str] = {"msgspec": "0.18.6", "greenlet": "2.0.2"}
"""The oldest versions that the worker's tests pass with. An author may ask for these or newer ones."""


def why_not_run(oldest: dict[str, str] | None = None) -> str | None:
    """What is missing or too old here, and what to do, in words; None where the worker can run."""
    problems = (_problem(name, version) for name, version in (oldest or OLDEST).items())
    return next(filter(None, problems), None)


def _problem(name: str, oldest: str) -> str | None:
    need = f"Pawl's part of a worker needs {name} {oldest} or newer"
    try:
        version = str(importlib.import_module(name).__version__)
    except ImportError as error:
        return f"{need}, which can't be imported here ({error}): list {name}>={oldest} in requirements.txt"
    if _numbers(version) < _numbers(oldest):
        return f"{need}, and {version} is installed: ask for {name}>={oldest} in requirements.txt"
    return None


def _numbers(version: str) -> tuple[int, ...]:
    """Those of the release, by which versions compare well enough here."""
    release = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in release[0].split(".")) if release else ()
