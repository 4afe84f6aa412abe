"""`pawl runs …` as one command with others below it."""

from __future__ import annotations

from pawl.group import LazyGroup, Listed
from pawl.runs.list import list_runs

_SECTIONS = {
    "Commands": {
        "show": Listed("pawl.runs.show:show", "Tell all of one run."),
        "start": Listed("pawl.runs.start:start", "Train a model now."),
        "cancel": Listed("pawl.runs.cancel:cancel", "End a run."),
        "retry": Listed("pawl.runs.retry:retry", "Try a run again that is over."),
        "accept": Listed("pawl.runs.accept:accept", "Take a rejected run all the same."),
        "log": Listed("pawl.runs.log:log", "Print what a run's code has printed."),
    }
}
runs = LazyGroup.around(list_runs, _SECTIONS)
