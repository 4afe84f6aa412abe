"""Training runs as a model's page lists them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from server.pages.card import short
from server.pages.layout import units
from server.pages.layout.chips import Chip, run_chip
from server.pages.layout.moments import Moment, duration, moment
from trainer.catalogue.views import RunView


@dataclass(frozen=True)
class RunRow:
    """Texts, none of them escaped."""

    run: str
    chip: Chip
    commit: str
    because: str
    queued: Moment
    took: str
    scores: tuple[tuple[str, str], ...]
    says: str
    how_far: str
    is_going_on: bool
    is_rejected: bool


def run_row(run: RunView, now: datetime) -> RunRow:
    ended = run.ended_at or (now if run.is_going_on else None)
    took = duration((ended - run.began_at).total_seconds()) if run.began_at and ended else units.DASH
    reason = f"{run.reason}: " if run.reason else ""
    return RunRow(
        run=run.run,
        chip=run_chip(run.state),
        commit=short(run.commit),
        because=run.started_by,
        queued=moment(run.queued_at, now),
        took=took,
        scores=tuple((name, units.number(score)) for name, score in run.scores.items()),
        says=f"{reason}{run.message or run.what}" if run.message or run.what else reason.rstrip(": "),
        how_far=_how_far(run),
        is_going_on=run.is_going_on,
        is_rejected=run.state == "rejected",
    )


def _how_far(run: RunView) -> str:
    if run.step is None:
        return ""
    return f"step {run.step:g}" + (f" of {run.total:g}" if run.total else "")
