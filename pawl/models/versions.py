"""`pawl versions`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from pawl.client.api import Api, api_path
from pawl.models.state import commit, time
from pawl.options import as_json, asks_server, command, complete_versions, limit, model
from pawl.terminal.table import Cell, Value
from pawl.terminal.text import duration, moment, size

_TITLES = ("VERSION", "STATE", "ROLE", "COMMIT", "AUTHOR", "WHEN", "EXAMPLES", "RUN", "MESSAGE")


@command("versions")
@model
@click.argument("version", metavar="[VERSION]", default="", shell_complete=complete_versions)
@limit(30)
@as_json
@asks_server
def versions(api: Api, model: str, version: str, limit: int, fields: str | None) -> None:
    """List a model's versions, the newest first: what became of each, who made it, and why.

    With VERSION, all of that one is told: a vN, a commit of seven digits or more, or run-KEY.

    Examples:

      pawl versions Iris

      pawl versions Iris v3

      pawl versions Iris --json version,state,author,message

    In a pipe it prints a line for each version: version, state, role, commit, author, time, how many examples
    passed, run and message, with tabs between them.

    Exit code: 3 if there is no such model or version; else as for 'pawl ls'.
    """
    from pawl.terminal.shown import Shown, ShownFields, show  # here: what is slow to import, not for --help

    if version:
        one = api.get(api_path("models", model, "versions", version))
        show(lambda: ShownFields(one, tuple(_fields(one))), fields)
    else:
        found = api.items(api_path("models", model, "versions"), limit)
        show(lambda: Shown(found, _TITLES, [_row(one) for one in found], "it has no versions"), fields)


def _row(one: Mapping[str, Any]) -> tuple[Value, ...]:
    message = str(one.get("message") or "").strip()
    return (
        *(one.get("version"), one.get("state"), one.get("role"), commit(one.get("commit")), one.get("author")),
        *(time(one.get("at")), _examples(one), one.get("run")),
        Cell(message, message.partition("\n")[0]),
    )


def _examples(one: Mapping[str, Any]) -> str:
    examples = one.get("examples")
    return "" if not examples else f"{examples['passed']} of {examples['passed'] + examples['failed']}"


def _fields(one: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
    environment, rejected, failure = one.get("environment") or {}, one.get("rejected") or {}, one.get("failure") or {}
    for name in ("version", "state", "role", "step", "commit", "run", "release", "author"):
        yield name, one.get(name)
    yield "when", moment(one.get("at"))
    yield "message", str(one.get("message") or "").strip()
    yield "about", one.get("description")
    yield "size", size(one.get("size_bytes"))
    yield "examples", _examples(one)
    yield "scores", ", ".join(f"{name} {score:.4g}" for name, score in (one.get("scores") or {}).items())
    steps = one.get("steps") or {}
    yield "took", ", ".join(f"{name.replace('_', ' ')} {duration(seconds)}" for name, seconds in steps.items())
    yield "environment", environment.get("id") or ("Pawl's own" if environment else "")
    yield "packages", ", ".join(f"{name} {at}" for name, at in sorted((environment.get("packages") or {}).items()))
    if rejected:
        yield "rejected", _who_and_why(rejected)
    if failure:
        yield "failed", f"at {failure.get('stage')}: {failure.get('message')}"
        yield "detail", str(failure.get("detail") or "").rstrip()


def _who_and_why(said: Mapping[str, Any]) -> str:
    by = (said.get("actor") or {}).get("name")
    told = (moment(said.get("at")), f"by {by}" if by else "", str(said.get("reason") or ""))
    return " ".join(filter(None, told)) or "yes"
