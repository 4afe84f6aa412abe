"""`pawl pin`."""

from __future__ import annotations

from pawl.options import command, model, version
from pawl.steering.acting import Acting, acts, yes


@command("pin")
@model
@version
@yes
@acts
def pin(action: Acting, model: str, version: str, yes: bool) -> None:
    """Make a version live, and hold it against everything newer until 'pawl unpin'.

    VERSION is a vN, a commit of seven digits or more, or run-KEY. It is proven first, as a push is, and no request is
    dropped. In a terminal it asks before it replaces what is live.

    Examples:

      pawl pin Iris v3 --reason "v4 is too slow at noon"

      pawl pin Iris v3 --expect v4 --yes

    Exit code: 0 once it is live; 1 if it failed, and what was live still is; 3 if there is no such model or version, 4
    for a wrong or missing key, 5 if --expect is not what is live, 6 if the server can't be reached, 7 if it was still
    going on when --wait ended.
    """
    from pawl.models.state import Told, live_version  # here and below: what is slow to import, not for --help
    from pawl.steering.confirmation import confirm

    def becomes(told: Told) -> str:
        return "held" if version == live_version(told) else f"replaced by {version}, and held"

    seen = confirm(action.api, model, becomes, yes)
    action.do("PUT", model, "pin", version=version, seen=seen, says=f"{model} is pinned to {version}")
