"""`pawl rollback`."""

from __future__ import annotations

from pawl.options import command, model
from pawl.steering.acting import Acting, acts, version_option, yes


@command("rollback")
@model
@version_option("--to", "Another version than the last one that was live before.")
@yes
@acts
def rollback(action: Acting, model: str, to: str, yes: bool) -> None:
    """Reject what is live, and go back to what was live before it.

    What is pushed next goes live as usual; what was rejected does not come back, until 'pawl accept' takes it. To hold
    a version against what is pushed, use 'pawl pin'. In a terminal it asks first.

    Examples:

      pawl rollback Iris --reason "too many 500s"

      pawl rollback Iris --to v2 --yes

    Exit code: 0 once the earlier version is live; 1 if it failed, and what was live still is; 3 if there is no such
    model or version, 4 for a wrong or missing key, 5 if the model is pinned, nothing older was live, --to is live, or
    --expect is not; 6 if the server can't be reached, 7 if it was still going on when --wait ended.
    """
    from pawl.steering.confirmation import confirm, earlier  # here: what is slow to import, not for --help

    seen = confirm(action.api, model, lambda _: f"replaced by {to or earlier(action.api, model)}", yes)
    action.do("POST", model, "rollback", to=to, seen=seen, says=f"{model} is rolled back")
