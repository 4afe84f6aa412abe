"""What is asked of a run by a POST."""

from __future__ import annotations

from core.paths import HttpPath
from pawl.client.api import Api
from pawl.runs.paths import path_of

FIELDS = (
    *("run", "model", "state", "reason", "message", "commit", "attempts", "scores", "artifact", "accepted", "own"),
    *("what", "step", "total", "started_by", "queued_at", "began_at", "ended_at"),
)
"""That the server tells of a run that something was done to."""
MORE_FIELDS = (
    *("detail", "compared", "code_key", "params", "model_params", "dataset_fingerprint", "validation_fingerprint"),
    *("peak_memory", "cpu_seconds", "packages", "tries", "curve"),
)
"""That it tells besides where it is asked about one run."""


def act(api: Api, path: HttpPath, run: str, reason: str, fields: str | None) -> None:
    """Ask, and print the run as it is now."""
    from pawl.runs.printing import print_outcome
    from pawl.terminal.json_output import check_fields

    check_fields(fields or "", FIELDS)
    print_outcome(api.send("POST", path_of(path, run=run), {"reason": reason}).json, fields)
