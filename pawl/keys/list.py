"""`pawl keys`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pawl.client.api import Api, api_path
from pawl.models.state import time
from pawl.options import as_json, asks_server, command, limit
from pawl.terminal.table import Cell, Value
from pawl.terminal.text import moment

_TITLES = ("ID", "NAME", "SCOPES", "MODELS", "RATE", "MADE", "EXPIRES")


@command("keys")
@limit(1000)
@as_json
@asks_server
def list_keys(api: Api, limit: int, fields: str | None) -> None:
    """List the keys, or make or revoke one. A key itself is seen once, when it is made.

    Scopes: admin may do everything; operate changes what is live, view reads; predict asks models, and may be narrowed
    to some of them.

    Examples:

      pawl keys

      pawl keys create shop --scope predict --model Iris --expires 90d

      pawl keys revoke 3f2a9c41d07b --reason "it was in a log"

    In a pipe it prints a line for each key: id, name, scopes, models, rate, when it was made and when it expires, with
    tabs between them.

    Exit code: 0, also where there are none; 1 if the server refuses, 2 for a wrong argument, 3 if there is no such key,
    4 if your own key lacks the scope admin, 6 if the server can't be reached.
    """
    from pawl.terminal.shown import Shown, show  # here and below: what is slow to import, not for --help

    found = api.items(api_path("keys"), limit)
    show(lambda: Shown(found, _TITLES, [_row(one) for one in found], "there are no keys"), fields)


def _row(one: Mapping[str, Any]) -> tuple[Value, ...]:
    rate, made, expires = one.get("rate"), one.get("created_at"), one.get("expires")
    return (
        *(one.get("id"), one.get("name"), ",".join(one.get("scopes") or ()), ",".join(one.get("models") or ())),
        *("" if rate is None else f"{rate:g}", time(made) if made else ""),
        Cell(moment(expires), moment(expires)) if expires else "",
    )
