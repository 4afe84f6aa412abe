"""One model as the catalogue shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.paths import MODEL
from loader.workers.examples import Example
from server.curl import curl
from server.pages.in_words import in_words
from server.state import ModelState
from trainer.catalogue.views import RunView

_CONDITIONS = {
    "live": ("live", "is-good"),
    "unwell": ("its worker keeps ending", "is-bad"),
    "failed": ("not live", "is-bad"),
    "waiting": ("not live yet", "is-wait"),
}


@dataclass(frozen=True)
class Card:
    """Texts, none of them escaped."""

    name: str
    condition: str
    """One of `live`, `unwell`, `failed`, `waiting`."""
    version: str
    commit: str
    about: str
    path: str
    curl: str
    failure: str
    """Why the newest push is not live; empty when it is."""
    failed_version: str
    stays: str
    """What answers all the same."""
    on_its_way: str
    training: str
    """The state of its newest run, and the reason; empty where it doesn't train."""
    training_says: str
    """What the run says of it; empty where it went well."""

    @property
    def says(self) -> str:
        return _CONDITIONS[self.condition][0]

    @property
    def tone(self) -> str:
        """Class of its colour."""
        return _CONDITIONS[self.condition][1]


def card(model: ModelState, base: str, url: str, examples: Sequence[Example]) -> Card:
    """`base` and `url`: path and address under which everything is."""
    live, failure = model.live, model.failure
    takes_nothing = live is not None and live.description.takes == "nothing"
    return Card(
        name=model.name,
        condition=_condition(model),
        version=live.version if live else "",
        commit=short(live.commit) if live else "",
        about=live.about if live else "",
        path=base + MODEL.of(model.name),
        curl=curl(url + MODEL.of(model.name), examples, takes_nothing=takes_nothing) if live else "",
        failure=failure.message if failure else "",
        failed_version=f"{failure.version}, commit {short(failure.commit)}, failed at {failure.stage}"
        if failure
        else "",
        stays=f"{live.version} goes on answering." if live else "Nothing answers.",
        on_its_way=in_words(model.doing),
        training=_training(model.training) if model.training else "",
        training_says=model.training.message or model.training.what if model.training else "",
    )


def _training(run: RunView) -> str:
    how_far = "" if run.step is None else f", step {run.step:g}" + (f" of {run.total:g}" if run.total else "")
    why = f" ({run.reason})" if run.reason else ""
    return f"run {run.run} of commit {short(run.commit)}: {run.state}{why}{how_far}"


def short(commit: str) -> str:
    """A commit as people write it; in a local folder, its release."""
    return commit[:13] if commit.startswith("local-") else commit[:7]


def _condition(model: ModelState) -> str:
    if model.live is not None:
        return "unwell" if model.live.crashing else "live"
    return "failed" if model.failure is not None else "waiting"
