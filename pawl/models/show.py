"""`pawl show`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pawl.client.api import Api, api_path
from pawl.models.state import note_on, state_of, time
from pawl.options import as_json, asks_server, command, model, watch
from pawl.terminal.table import Value
from pawl.terminal.text import is_terminal

_EVENTS = 5


@command("show")
@model
@watch
@as_json
@asks_server
def show(api: Api, model: str, watch: bool, fields: str | None) -> None:
    """Tell all of one model: what is live, whether its requests are merged, what is on its way, what failed and why.

    Examples:

      pawl show Iris

      pawl show Iris --watch

      pawl show Iris --json failure | jq -r .failure.detail

    In a pipe it prints a line for each field, with a tab after its name.

    Exit code: 3 if there is no such model; else as for 'pawl ls'.
    """
    from pawl.terminal.shown import ShownFields
    from pawl.terminal.shown import show as show_fields

    def look() -> ShownFields:
        found = api.get(api_path("models", model))
        return ShownFields(found, tuple(_fields(found, api.models)))

    show_fields(look, fields, watch)


def _fields(model: Mapping[str, Any], address: str) -> Iterator[tuple[str, Value]]:
    live, failure = model.get("live") or {}, model.get("failure") or {}
    about, manifest = live.get("description") or {}, live.get("manifest") or {}
    yield "model", model.get("name")
    yield "state", state_of(model)
    yield "note", note_on(model) if not failure else ""
    yield "about", manifest.get("description") or about.get("doc")
    yield "route", f"{address}/{model.get('name')}"
    yield "live", live.get("version")
    yield "commit", live.get("commit")
    yield "release", live.get("release")
    yield "run", live.get("run")
    yield "workers", live.get("workers")
    yield "memory", None if live.get("memory_mb") is None else f"{live['memory_mb']} MB"
    yield "variables", about.get("takes")
    if about:
        yield "interleaved", _yes_or_no(about.get("concurrent"), about.get("why"))
    for session in about.get("sessions") or ():
        yield f"{session.get('session')}.onnx merged", _yes_or_no(session.get("merged"), session.get("why"))
    yield from _of_failure(failure)
    for event in sorted(model.get("events") or (), key=lambda one: str(one.get("id")), reverse=True)[:_EVENTS]:
        at = time(event.get("at"))
        yield at.shown if is_terminal() else at.plain, f"{event.get('kind')}: {event.get('message')}"


def _of_failure(failure: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
    if not failure:
        return
    yield "failed", f"{failure.get('version')} at {failure.get('stage')}: {failure.get('message')}"
    yield "tries", failure.get("tries")
    if (detail := str(failure.get("detail") or "")).strip() not in str(failure.get("message")):
        yield "detail", detail.rstrip()


def _yes_or_no(is_so: object, why: object) -> str:
    return ("yes" if is_so else "no") + (f": {why}" if why else "")
