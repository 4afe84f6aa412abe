"""`pawl accept`."""

from __future__ import annotations

from pawl.options import command, model, version
from pawl.steering.acting import Acting, acts


@command("accept")
@model
@version
@acts
def accept(action: Acting, model: str, version: str) -> None:
    """Take a version all the same that a rollback or a canary rejected: it may go live again.

    Example:

      pawl accept Iris v4 --reason "the errors came from the database"

    If it is the newest version, it goes live.

    Exit code: 0 once it is accepted, and live if it is the newest; 1 if it is that and failed; 3 if there is no such
    model or version, 4 for a wrong or missing key, 5 if --expect is not what is live, 6 if the server can't be reached,
    7 if it was still going on when --wait ended.
    """
    action.do("POST", model, "versions", version, "accept", says=f"{model} {version} is accepted")
