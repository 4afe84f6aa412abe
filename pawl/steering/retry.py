"""`pawl retry`."""

from __future__ import annotations

from pawl.options import command, model
from pawl.steering.acting import Acting, acts


@command("retry")
@model
@acts
def retry(action: Acting, model: str) -> None:
    """Try a model's version again that failed, whatever it failed with. What is live stays live meanwhile.

    Examples:

      pawl retry Iris

      pawl retry Iris --wait 0; pawl show Iris --watch

    Exit code: 0 once it is live; 1 if it failed again; 3 if there is no such model, 4 for a wrong or missing key, 5 if
    --expect is not what is live, 6 if the server can't be reached, 7 if it was still going on when --wait ended.
    """
    says = f"{model} is tried again; 'pawl show {model}' tells what comes of it"
    action.do("POST", model, "retry", says=says)
