"""`pawl deployments`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from pawl.client.api import Api, api_path
from pawl.models.state import commit, time
from pawl.options import as_json, asks_server, command, limit, model
from pawl.terminal.table import Cell, Value

_TITLES = ("VERSION", "FROM", "TO", "CAUSE", "BY", "COMMIT", "RUN", "REASON")


@command("deployments")
@model
@click.option(
    "--at", default="", metavar="TIME", help="What was live then: 2h for two hours ago, or a time with its zone."
)
@limit(30)
@as_json
@asks_server
def deployments(api: Api, model: str, at: str, limit: int, fields: str | None) -> None:
    """Tell what was live, from when until when, why, and by whom; the newest first.

    Examples:

      pawl deployments Iris

      pawl deployments Iris --at 2026-06-21T12:00:00Z --json version,commit

    In a pipe it prints a line for each: version, from, to, cause, who, commit, run and reason, with tabs between them;
    'to' is empty for what is live.

    Exit code: 0, also where nothing was live; 3 if there is no such model; else as for 'pawl ls'.
    """
    from pawl.terminal.shown import Shown, show  # here and below: what is slow to import, not for --help
    from pawl.terminal.times import as_moment

    found = api.items(api_path("models", model, "deployments"), limit, {"at": as_moment(at, "--at")})
    show(lambda: Shown(found, _TITLES, [_row(one) for one in found], "nothing was live then"), fields)


def _row(one: Mapping[str, Any]) -> tuple[Value, ...]:
    until = one.get("to")
    actor = one.get("actor") or {}
    return (
        *(one.get("version"), time(one.get("from"))),
        time(until) if until else Cell("", "now", "green"),
        *(one.get("cause"), actor.get("name") or actor.get("kind"), commit(one.get("commit"))),
        *(one.get("run"), one.get("reason")),
    )
