"""`pawl accept`."""

from __future__ import annotations

from pawl.client.api import Api, api_path
from pawl.options import as_json, asks_server, command, model, reason, version
from pawl.steering.options import expect, wait


@command("accept")
@model
@version
@reason
@expect
@wait
@as_json
@asks_server
def accept(api: Api, model: str, version: str, reason: str, expect: str, wait: float, fields: str | None) -> None:
    """Take a version all the same that a rollback or a canary rejected: it may go live again.

    Example:

      pawl accept Iris v4 --reason "the errors came from the database"

    If it is the newest version, it goes live.

    Exit code: 1 if it failed, 3 if there is no such model or version, 4 for a wrong or missing key, 5 where its state
    does not allow it or --expect is not what is live, 6 if the server can't be reached, 7 if it was still going on when
    --wait ended.
    """
    from pawl.steering.outcome import act, print_outcome

    answer = act(
        api,
        "POST",
        api_path("models", model, "versions", version, "accept"),
        {"reason": reason, "expect": expect},
        wait,
    )
    print_outcome(answer, f"{model} {version} is accepted", fields)
