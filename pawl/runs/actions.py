"""What is asked of a run by a POST."""

from __future__ import annotations

from core.paths import HttpPath
from pawl.exits import told


def act(path: HttpPath, run: str, reason: str, as_json: bool, server: str, token: str) -> None:
    """Ask, and print the run as it is now."""
    with told():
        from pawl.api import Api, path_of
        from pawl.runs.printing import print_outcome

        with Api(server, token) as api:
            _, found = api.post(path_of(path, run=run), body={"reason": reason})
        print_outcome(found, as_json)
