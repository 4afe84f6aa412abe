"""`pawl ls`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from pawl.client.api import Api, api_path
from pawl.models.state import commit, live_version, note_on, state_of
from pawl.options import as_json, asks_server, command, limit, watch
from pawl.terminal.table import Cell, Value

_TITLES = ("MODEL", "STATE", "LIVE", "COMMIT", "WORKERS", "MEMORY", "NOTE")


@command("ls")
@click.argument("text", metavar="[TEXT]", default="")
@click.option("--state", metavar="STATE", default="", help="Models in that state alone: ready, failed, training, …")
@watch
@limit(1000)
@as_json
@asks_server
def ls(api: Api, text: str, state: str, watch: bool, limit: int, fields: str | None) -> None:
    """List the models, what is live of each, and what is going on or wrong. TEXT: those whose names hold it.

    Examples:

      pawl ls

      pawl ls --state failed

      pawl ls --watch

      pawl ls --json name,live.version,failure.message

    What is wrong with the repository, and which folders are left out, is told on stderr.

    In a pipe it prints a line for each model: name, state, live version, commit, workers, megabytes and note, with tabs
    between them.

    Exit code: 0, also where there are none; 1 if the server refuses, 2 for a wrong argument, 3 if no Pawl is there, 4
    for a wrong or missing key, 6 if the server can't be reached.
    """
    from pawl.terminal.shown import Shown, show  # here and below: what is slow to import, not for --help

    def look() -> Shown:
        found, beside = api.listed(api_path("models"), limit, {"q": text, "state": state})
        rows = [_row(one) for one in found]
        return Shown(found, _TITLES, rows, "there are no such models", tuple(_warnings(beside)))

    show(look, fields, watch)


def _warnings(beside: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with what is followed, as a whole."""
    if problem := beside.get("problem"):
        yield f"nothing new is served: {problem}"
    for folder, reason in sorted((beside.get("left_out") or {}).items()):
        yield f"{folder} is left out: {reason}"


def _row(model: dict[str, Any]) -> tuple[Value, ...]:
    live = model.get("live") or {}
    memory = live.get("memory_mb")
    return (
        *(model.get("name"), state_of(model), live_version(model), commit(live.get("commit")), live.get("workers")),
        *(None if memory is None else Cell(str(memory), f"{memory} MB"), note_on(model)),
    )
