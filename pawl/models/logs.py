"""`pawl logs`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from pawl.client.api import Api, api_path
from pawl.options import as_json, asks_server, command, limit, model, of_version
from pawl.terminal.json_text import read_json
from pawl.terminal.text import is_terminal, moment, one_line, printable, read_moment


@command("logs")
@model
@of_version("What that version's workers printed alone.")
@click.option("--since", default="", metavar="TIME", help="From then on: 5m, or a time with its zone.")
@click.option("-f", "--follow", is_flag=True, help="Then go on, as lines come, until Ctrl-C.")
@limit(200)
@as_json
@asks_server
def logs(api: Api, model: str, version: str, since: str, follow: bool, limit: int, fields: str | None) -> None:
    """Print what a model's workers print, the oldest first. The server keeps the newest lines of each version.

    Examples:

      pawl logs Iris -f

      pawl logs Iris --version v3 --since 10m

    In a pipe it prints a line for each: time, version and line, with tabs between them. With -f, --json prints a line
    for each too.

    Exit code: 3 if there is no such model or version; else as for 'pawl ls'.
    """
    from pawl.terminal.json_output import print_json  # here and below: what is slow to import, not for --help
    from pawl.terminal.times import as_moment

    asked: dict[str, Any] = {"version": version, "since": as_moment(since, "--since")}
    path = api_path("models", model, "logs")
    found = list(reversed(api.items(path, limit, asked)))
    if fields is not None and not follow:
        print_json(found, fields)
        return
    for line in found:
        _print(line, fields)
    if follow:
        _follow(api, path, str(found[-1].get("id")) if found else "", asked, fields)


def _follow(api: Api, path: str, last: str, asked: Mapping[str, Any], fields: str | None) -> None:
    from pawl.client.server_events import follow

    for data in follow(api, path, last, {**asked, "follow": 1}):
        _print(read_json(data), fields)


def _print(line: Mapping[str, Any], fields: str | None) -> None:
    from pawl.terminal.json_output import print_json

    if fields is not None:
        print_json(line, fields, is_line=True)
        return
    at, version, said = moment(line.get("at")), one_line(line.get("version") or ""), line.get("line") or ""
    if is_terminal():
        read = read_moment(line.get("at"))
        when = at if read is None else f"{read:%H:%M:%S} {version}"
        sys.stdout.write(f"{click.style(when, dim=True)}  {printable(said)}\n")
    else:
        sys.stdout.write(f"{at}\t{version}\t{one_line(said)}\n")
    sys.stdout.flush()
