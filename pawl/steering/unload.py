"""`pawl unload`."""

from __future__ import annotations

from pawl.client.api import Api, api_path
from pawl.options import as_json, asks_server, command, model, reason, version
from pawl.steering.options import expect, wait


@command("unload")
@model
@version
@reason
@expect
@wait
@as_json
@asks_server
def unload(api: Api, model: str, version: str, reason: str, expect: str, wait: float, fields: str | None) -> None:
    """Stop an older version that was started because it was asked for, or by 'pawl load'.

    What is live can't be unloaded.

    Example:

      pawl unload Iris v3

    Exit code: 1 if it failed, 3 if there is no such model or version, 4 for a wrong or missing key, 5 where its state
    does not allow it or --expect is not what is live, 6 if the server can't be reached, 7 if it was still going on when
    --wait ended.
    """
    from pawl.steering.outcome import act, print_outcome

    answer = act(
        api,
        "POST",
        api_path("models", model, "versions", version, "unload"),
        {"reason": reason, "expect": expect},
        wait,
    )
    print_outcome(answer, f"{model} {version} is unloaded", fields)
