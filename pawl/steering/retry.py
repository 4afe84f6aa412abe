"""`pawl retry`."""

from __future__ import annotations

from pawl.client.api import Api, api_path
from pawl.options import as_json, asks_server, command, model, reason


@command("retry")
@model
@reason
@as_json
@asks_server
def retry(api: Api, model: str, reason: str, fields: str | None) -> None:
    """Try a model's version again that failed, whatever it failed with. What is live stays live meanwhile.

    Examples:

      pawl retry Iris

      pawl retry Iris && pawl show Iris --watch

    Exit code: 0 once it is being tried; 3 if there is no such model, 4 for a wrong or missing key.
    """
    from pawl.steering.outcome import print_outcome

    answer = api.send("POST", api_path("models", model, "retry"), {"reason": reason} if reason else None)
    print_outcome(answer, f"{model} is tried again; 'pawl show {model}' tells what comes of it", fields)
