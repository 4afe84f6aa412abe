"""`pawl keys revoke`."""

from __future__ import annotations

import click

from pawl.client.api import Api, api_path
from pawl.options import as_json, asks_server, command, reason


@command("revoke")
@click.argument("id", metavar="ID")
@reason
@as_json
@asks_server
def revoke(api: Api, id: str, reason: str, fields: str | None) -> None:
    """End a key, and the sessions that it opened, at once and for good.

    Example:

      pawl keys revoke 3f2a9c41d07b --reason "it was in a log"

    Exit code: 3 if there is no such key; else as for 'pawl keys'.
    """
    from pawl.steering.outcome import print_outcome

    answer = api.send("DELETE", api_path("keys", id), query={"reason": reason})
    print_outcome(answer, f"key {id} is revoked", fields)
