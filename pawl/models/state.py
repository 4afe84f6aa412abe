"""Models as the server tells of them, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.runs.states import CAME_TO_NOTHING
from pawl.terminal.table import Cell
from pawl.terminal.text import ago, moment

Told = Mapping[str, Any]
"""An object of the server's; a newer server may tell more, and an older one less."""


def live_version(model: Told) -> str:
    return str((model.get("live") or {}).get("version") or "")


def state_of(model: Told) -> str:
    """`live`, `failed`, …: what a reader wants to know first."""
    if said := model.get("state"):
        return str(said)
    if model.get("failure"):
        return "failed"
    return "live" if model.get("live") else "pending"


def note_on(model: Told) -> str:
    """What is going on, or went wrong."""
    return "; ".join(filter(None, _notes(model)))


def _notes(model: Told) -> Iterator[str]:
    live, failure, training = model.get("live") or {}, model.get("failure"), model.get("training") or {}
    if pin := model.get("pin"):
        alone = ", and served for that alone: its folder has gone" if pin.get("folder_gone") else ""
        yield f"pinned to {pin.get('version') or pin.get('commit', '')[:7]}{alone}"
    if step := model.get("step") or model.get("doing"):
        yield f"{step}…"
    if failure:
        yield f"{failure.get('version')} failed at {failure.get('stage')}: {failure.get('message')}"
    if live.get("crashing"):
        yield "its workers end again and again"
    if training.get("state") in ("queued", "pending", "running", "evaluating"):
        yield f"run {training.get('run')} is {training['state']}"
    elif training.get("state") in CAME_TO_NOTHING and state_of(model) == "failed":
        yield f"run {training.get('run')} is {training['state']}: {training.get('message')}"


def time(at: object) -> Cell:
    return Cell(moment(at), ago(at))


def commit(full: object) -> Cell:
    """Of a local folder there are none, and a release's id stands for one."""
    said = str(full or "")
    return Cell(said, "local" if said.startswith("local-") else said[:7])
