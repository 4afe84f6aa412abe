"""`pawl pin`."""

from __future__ import annotations

from pawl.client.api import Api, api_path
from pawl.options import as_json, asks_server, command, model, reason, version
from pawl.steering.options import expect, wait, yes


@command("pin")
@model
@version
@reason
@expect
@wait
@yes
@as_json
@asks_server
def pin(
    api: Api, model: str, version: str, reason: str, expect: str, wait: float, yes: bool, fields: str | None
) -> None:
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
    from pawl.steering.confirmation import confirm  # here and below: what is slow to import, not for --help
    from pawl.steering.outcome import act, print_outcome

    seen = confirm(api, model, f"{version}, and held", yes)
    asked = {"version": version, "reason": reason, "expect": expect or seen}
    answer = act(api, "PUT", api_path("models", model, "pin"), asked, wait)
    print_outcome(answer, f"{model} is pinned to {version}", fields)
