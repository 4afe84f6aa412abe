"""`pawl rollback`."""

from __future__ import annotations

import click

from pawl.client.api import Api, api_path
from pawl.options import as_json, asks_server, command, model, reason
from pawl.steering.options import expect, wait, yes


@command("rollback")
@model
@click.option("--to", default="", metavar="VERSION", help="Another version than the last one that was live before.")
@reason
@expect
@wait
@yes
@as_json
@asks_server
def rollback(
    api: Api, model: str, to: str, reason: str, expect: str, wait: float, yes: bool, fields: str | None
) -> None:
    """Reject what is live, and go back to what was live before it.

    What is pushed next goes live as usual; what was rejected does not come back, until 'pawl accept' takes it. To hold
    a version against what is pushed, use 'pawl pin'. In a terminal it asks first.

    Examples:

      pawl rollback Iris --reason "too many 500s"

      pawl rollback Iris --to v2 --yes

    Exit code: 0 once the earlier version is live; 1 if it failed, and what was live still is; 3 if there is no such
    model or version, 4 for a wrong or missing key, 5 if the model is pinned, nothing older was live, or --expect is not
    what is live; 6 if the server can't be reached, 7 if it was still going on when --wait ended.
    """
    from pawl.steering.confirmation import confirm, earlier  # here and below: what is slow to import, not for --help
    from pawl.steering.outcome import act, print_outcome

    seen = confirm(api, model, to or earlier(api, model), yes)
    asked = {"to": to, "reason": reason, "expect": expect or seen}
    answer = act(api, "POST", api_path("models", model, "rollback"), asked, wait)
    print_outcome(answer, f"{model} is rolled back", fields)
