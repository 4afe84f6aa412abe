"""`pawl events`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from pawl.client.api import Api, api_path
from pawl.options import as_json, asks_server, command, complete_models, limit
from pawl.terminal.json_text import read_json
from pawl.terminal.table import STYLES, Cell, Value
from pawl.terminal.text import ago, is_terminal, moment, one_line

_TITLES = ("WHEN", "KIND", "MODEL", "VERSION", "BY", "WHAT")


@command("events")
@click.argument("model", metavar="[MODEL]", default="", shell_complete=complete_models)
@click.option("--kind", default="", metavar="KIND", help="Of that kind alone: live, failed, pinned, rolled_back, …")
@click.option("--actor", default="", metavar="NAME", help="What that key or person did.")
@click.option("--since", default="", metavar="TIME", help="From then on: 2h, or a time with its zone.")
@click.option("-f", "--follow", is_flag=True, help="Then go on, as events come, until Ctrl-C; the oldest comes first.")
@limit(50)
@as_json
@asks_server
def events(
    api: Api, model: str, kind: str, actor: str, since: str, follow: bool, limit: int, fields: str | None
) -> None:
    """Tell what happened, the newest first: what went live or failed and why, and who did what.

    Examples:

      pawl events Iris --since 2h

      pawl events --kind rolled_back --json at,model,actor.name,reason

      pawl events -f

    In a pipe it prints a line for each: time, kind, model, version, who, message and reason, with tabs between them.
    With -f, --json prints a line for each too.

    Exit code: 0, also where nothing happened; else as for 'pawl ls'.
    """
    from pawl.terminal.json_output import print_json  # here and below: what is slow to import, not for --help
    from pawl.terminal.table import print_rows
    from pawl.terminal.times import as_moment

    asked: dict[str, Any] = {"model": model, "kind": kind, "actor": actor, "since": as_moment(since, "--since")}
    found = api.items(api_path("events"), limit, asked)
    if follow:
        _follow(api, list(reversed(found)), asked, fields)
    elif fields is not None:
        print_json(found, fields)
    else:
        print_rows(_TITLES, [_row(one) for one in found], "nothing of that kind happened")


def _follow(api: Api, before: list[Any], asked: Mapping[str, Any], fields: str | None) -> None:
    from pawl.client.server_events import follow

    for event in before:
        _print(event, fields)
    last = str(before[-1]["id"]) if before else ""
    for data in follow(api, api_path("events", "stream"), last, asked):
        _print(read_json(data), fields)


def _print(event: Mapping[str, Any], fields: str | None) -> None:
    from pawl.terminal.json_output import print_json
    from pawl.terminal.table import print_lines

    if fields is not None:
        print_json(event, fields, is_line=True)
    elif is_terminal():
        kind = str(event.get("kind"))
        shown = click.style(f"{kind:<16}", fg=_colour(kind))
        who = f"  ({by})" if (by := _who(event)) else ""
        sys.stdout.write(f"{moment(event.get('at'))}  {shown} {one_line(_line(event))}{who}\n")
        sys.stdout.flush()
    else:
        print_lines([_row(event)])


def _colour(kind: str) -> str | None:
    return {"failed": "red", "live": "green", "crash_loop": "red", "worker_lost": "red"}.get(kind)


def _row(event: Mapping[str, Any]) -> tuple[Value, ...]:
    kind = str(event.get("kind"))
    return (
        Cell(moment(event.get("at")), ago(event.get("at"))),
        Cell(kind, kind, STYLES.get(kind, "")),
        *(event.get("model"), event.get("version"), _who(event)),
        *((_what(event),) if is_terminal() else (event.get("message"), event.get("reason"))),
    )


def _line(event: Mapping[str, Any]) -> str:
    """Where no column says of which model."""
    model, said = str(event.get("model") or ""), _what(event)
    return said if not model or model in said else f"{model}: {said}"


def _what(event: Mapping[str, Any]) -> str:
    return str(event.get("message") or "") + (f" ({reason})" if (reason := event.get("reason")) else "")


def _who(event: Mapping[str, Any]) -> str:
    actor = event.get("actor") or {}
    return str(actor.get("name") or (actor.get("kind") if actor.get("kind") not in ("pawl", "git") else "") or "")
