"""`pawl unpin`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pawl.options import command, model
from pawl.steering.acting import Acting, acts, yes

if TYPE_CHECKING:
    from pawl.models.state import Told


@command("unpin")
@model
@yes
@acts
def unpin(action: Acting, model: str, yes: bool) -> None:
    """Lift a pin: the newest version goes live, unless it was rejected; until it is ready, what was pinned stays.

    Where the model's folder has gone, only its pin keeps it: it ends with the pin. In a terminal it says so, and asks
    first.

    Example:

      pawl unpin Iris --reason "v5 is fast again"

    Exit code: 0 once the newest is live, or what is to be instead; 1 if it failed, and what was pinned still is live,
    but no longer pinned; else as for 'pawl pin'.
    """
    from pawl.steering.confirmation import confirm  # here: what is slow to import, not for --help

    seen = confirm(action.api, model, _becomes, yes)
    action.do("DELETE", model, "pin", seen=seen, says=f"{model} is no longer pinned")


def _becomes(model: Told) -> str:
    pin = model.get("pin")
    if not pin:
        return ""
    if pin.get("folder_gone"):
        return "served no more, nor anything else of it: its folder has gone"
    return "held no longer: the newest version goes live, unless that was rejected"
