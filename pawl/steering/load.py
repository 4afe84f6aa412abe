"""`pawl load`."""

from __future__ import annotations

from pawl.client.api import Api, api_path
from pawl.options import as_json, asks_server, command, model, reason, version
from pawl.steering.options import expect, wait


@command("load")
@model
@version
@reason
@expect
@wait
@as_json
@asks_server
def load(api: Api, model: str, version: str, reason: str, expect: str, wait: float, fields: str | None) -> None:
    """Start an older version now, so that it answers at once when it is asked for by name, or made live.

    Example:

      pawl load Iris v3 && pawl try Iris --version v3

    Exit code: 1 if it failed, 3 if there is no such model or version, 4 for a wrong or missing key, 5 where its state
    does not allow it or --expect is not what is live, 6 if the server can't be reached, 7 if it was still going on when
    --wait ended.
    """
    from pawl.steering.outcome import act, print_outcome

    answer = act(
        api, "POST", api_path("models", model, "versions", version, "load"), {"reason": reason, "expect": expect}, wait
    )
    print_outcome(answer, f"{model} {version} is loaded", fields)
