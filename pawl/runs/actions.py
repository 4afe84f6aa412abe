"""What is asked of a run by a POST."""

from __future__ import annotations

from core.paths import HttpPath
from pawl.client.api import Api
from pawl.runs.paths import path_of


def act(api: Api, path: HttpPath, run: str, reason: str, fields: str | None) -> None:
    """Ask, and print the run as it is now."""
    from pawl.runs.printing import print_outcome

    print_outcome(api.send("POST", path_of(path, run=run), {"reason": reason}).json, fields)
