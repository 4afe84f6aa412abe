"""`pawl retry`."""

from __future__ import annotations

from pawl.client.api import Api, api_path
from pawl.options import as_json, asks_server, command, model, reason
from pawl.steering.options import expect, wait


@command("retry")
@model
@reason
@expect
@wait
@as_json
@asks_server
def retry(api: Api, model: str, reason: str, expect: str, wait: float, fields: str | None) -> None:
    """Try a model's version again that failed, whatever it failed with. What is live stays live meanwhile.

    Examples:

      pawl retry Iris

      pawl retry Iris --wait 0; pawl show Iris --watch

    Exit code: 0 once it is live; 1 if it failed again; 3 if there is no such model, 4 for a wrong or missing key, 5 if
    --expect is not what is live, 6 if the server can't be reached, 7 if it was still going on when --wait ended.
    """
    from pawl.steering.outcome import act, print_outcome

    answer = act(api, "POST", api_path("models", model, "retry"), {"reason": reason, "expect": expect}, wait)
    print_outcome(answer, f"{model} is tried again; 'pawl show {model}' tells what comes of it", fields)
