"""`pawl load`."""

from __future__ import annotations

from pawl.options import command, model, version
from pawl.steering.acting import Acting, acts


@command("load")
@model
@version
@acts
def load(action: Acting, model: str, version: str) -> None:
    """Start an older version now, so that it answers at once when it is asked for by name, or made live.

    Example:

      pawl load Iris v3 && pawl try Iris --version v3

    Exit code: 0 once it runs, 1 if it failed or as many versions run as may, 3 if there is no such model or version, 4
    for a wrong or missing key, 5 if --expect is not what is live, 6 if the server can't be reached, 7 if it was still
    going on when --wait ended.
    """
    action.do("POST", model, "versions", version, "load", says=f"{model} {version} is loaded")
