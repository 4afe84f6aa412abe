"""`pawl unload`."""

from __future__ import annotations

from pawl.options import command, model, version
from pawl.steering.acting import Acting, acts


@command("unload")
@model
@version
@acts
def unload(action: Acting, model: str, version: str) -> None:
    """Stop an older version that was started because it was asked for, or by 'pawl load'.

    What is live can't be unloaded.

    Example:

      pawl unload Iris v3

    Exit code: 0 once it does not run, 1 if it failed, 3 if there is no such model or version, 4 for a wrong or missing
    key, 5 if it is live or --expect is not what is live, 6 if the server can't be reached, 7 if it was still going on
    when --wait ended.
    """
    action.do("POST", model, "versions", version, "unload", says=f"{model} {version} is unloaded")
