"""The status of a model in the catalogue: its group, its chip, and what there is to say of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from core.runs.states import CAME_TO_NOTHING
from core.version_states import VersionState
from server.pages.card import short
from server.pages.commit_texts import first_line
from server.pages.facts import ModelFacts
from server.pages.in_words import in_words
from server.pages.layout.chips import LIVE, NEVER_LIVE, PINNED, PUSH_FAILED, UNWELL, Chip, state_chip
from server.pages.layout.moments import Moment, moment
from server.state import ModelState
from trainer.catalogue.views import RunView


class Group(Enum):
    """In the order of the catalogue."""

    TROUBLE = "Needs a look"
    MOVING = "On its way"
    LIVE = "Live"

    @property
    def rank(self) -> int:
        return list(Group).index(self)


@dataclass(frozen=True)
class Note:
    """A sentence, led by an icon."""

    kind: str
    icon: str
    strong: str
    """Its first words."""
    text: str
    moment: Moment | None = None
    """Stands between the two."""
    link: str = ""
    """Where more is told or done, below the model's page."""
    link_says: str = ""


@dataclass(frozen=True)
class ModelStatus:
    group: Group
    chip: Chip
    note: Note | None


def model_status(facts: ModelFacts, now: datetime) -> ModelStatus:
    """The worst of what is so; what is noted is, in this order, a failure, a pin, what is on its way."""
    state = facts.state
    if state.failure is not None:
        return ModelStatus(Group.TROUBLE, PUSH_FAILED if state.live else NEVER_LIVE, _failure(facts, now))
    if state.live is not None and state.live.crashing:
        note = Note("bad", "warn", "Its worker keeps ending.", f"{state.live.version} is started again each time.")
        return ModelStatus(Group.TROUBLE, UNWELL, note)
    if facts.pin is not None:
        return ModelStatus(Group.TROUBLE, PINNED, _pin(facts, now))
    if state.doing is not None:
        return ModelStatus(Group.MOVING, state_chip(state.state), _moving(state))
    if state.training is not None and state.training.is_going_on:
        return ModelStatus(Group.MOVING, state_chip("training"), _training(state))
    return _quiet(state)


def _quiet(state: ModelState) -> ModelStatus:
    run = state.training
    if run is not None and run.state in CAME_TO_NOTHING and (state.live is None or state.state is VersionState.FAILED):
        return ModelStatus(Group.TROUBLE, PUSH_FAILED if state.live else NEVER_LIVE, _came_to_nothing(run, state))
    if state.live is not None:
        return ModelStatus(Group.LIVE, LIVE, None)
    return ModelStatus(Group.MOVING, state_chip("pending"), None)


def _came_to_nothing(run: RunView, state: ModelState) -> Note:
    said, stays = first_line(run.message), f"{state.live.version} stays live." if state.live else "Nothing is live."
    text = f"{said.rstrip('.')}. {stays}"
    return Note(
        "bad", "failed", f"Run {run.run} is {run.state}:", text, link=f"/runs/{run.run}", link_says="See the run"
    )


def _failure(facts: ModelFacts, now: datetime) -> Note:
    failure, live = facts.state.failure, facts.state.live
    assert failure is not None
    stays = f" {live.version} stays live." if live else " Nothing is live."
    at = moment(facts.failed_at, now) if facts.failed_at else None
    said = first_line(failure.message)
    return Note(
        "bad",
        "failed",
        f"{failure.version} failed at {failure.stage}",
        said + ("" if said.endswith(".") else ".") + stays,
        at,
        link="#failure",
        link_says="See the failure",
    )


def _pin(facts: ModelFacts, now: datetime) -> Note:
    pin = facts.pin
    assert pin is not None
    by = f"by {pin.actor.name or pin.actor.kind}" if pin.actor else "by an operator"
    text = f"{by}: “{pin.reason}”." if pin.reason else f"{by}."
    if facts.is_held_by_pin_alone:
        text += " Its folder has gone: only the pin keeps it."
    strong, at = f"Pinned to {pin.version or short(pin.commit)}", moment(pin.at, now)
    return Note("wait", "pin", strong, text, at, link="/actions/unpin", link_says="Unpin…")


def _moving(state: ModelState) -> Note:
    stays = f" {state.live.version} answers meanwhile." if state.live else ""
    return Note("info", "going", "The next version is on its way:", f"{in_words(state.doing)}.{stays}")


def _training(state: ModelState) -> Note:
    run = state.training
    assert run is not None
    far = "" if run.step is None else f", step {run.step:g}" + (f" of {run.total:g}" if run.total else "")
    text = f"of commit {short(run.commit)}: {run.state}{far}."
    return Note("info", "train", f"Run {run.run}", text, link=f"/runs/{run.run}", link_says="See the run")
