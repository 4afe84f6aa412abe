"""`pawl unpin`."""

from __future__ import annotations

from pawl.options import command, model
from pawl.steering.acting import Acting, acts, yes


@command("unpin")
@model
@yes
@acts
def unpin(action: Acting, model: str, yes: bool) -> None:
    """Lift a pin: the newest version goes live, unless it was rejected; until it is ready, what was pinned stays.

    Example:

      pawl unpin Iris --reason "v5 is fast again"

    Exit code: as for 'pawl pin'.
    """
    from pawl.steering.confirmation import confirm  # here: what is slow to import, not for --help

    seen = confirm(action.api, model, lambda: "the newest version that is not rejected", yes)
    action.do("DELETE", model, "pin", seen=seen, says=f"{model} is no longer pinned")
