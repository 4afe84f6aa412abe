"""`pawl unpin`."""

from __future__ import annotations

from pawl.client.api import Api, api_path
from pawl.options import as_json, asks_server, command, model, reason
from pawl.steering.options import expect, wait, yes


@command("unpin")
@model
@reason
@expect
@wait
@yes
@as_json
@asks_server
def unpin(api: Api, model: str, reason: str, expect: str, wait: float, yes: bool, fields: str | None) -> None:
    """Lift a pin: the newest version that is not rejected goes live.

    Example:

      pawl unpin Iris --reason "v5 is fast again"

    Exit code: as for 'pawl pin'.
    """
    from pawl.steering.confirmation import confirm  # here and below: what is slow to import, not for --help
    from pawl.steering.outcome import act, print_outcome

    seen = confirm(api, model, "the newest version that is not rejected", yes)
    answer = act(api, "DELETE", api_path("models", model, "pin"), {"reason": reason, "expect": expect or seen}, wait)
    print_outcome(answer, f"{model} is no longer pinned", fields)
