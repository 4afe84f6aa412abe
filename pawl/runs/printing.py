"""Runs as people and programs read them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from pawl.runs.run import Run, read_run
from pawl.terminal.curves import curves
from pawl.terminal.json_output import print_json
from pawl.terminal.table import Cell, Value, print_fields, print_lines, print_rows
from pawl.terminal.text import ago, is_terminal, moment, one_line

_POINTS = 10
"""Of a curve that a pipe gets."""


def print_list(runs: Sequence[Run]) -> None:
    """A table for a terminal; else a line for each, with tabs between."""
    if is_terminal():
        print_rows(
            ("RUN", "MODEL", "STATE", "SCORES", "COMMIT", "QUEUED"), [*map(_row, runs)], "there are no such runs"
        )
    else:
        print_lines(run.line for run in runs)


def print_run(run: Run) -> None:
    """Everything; else a line for each field."""
    shape = _curves(run) if is_terminal() else _steps(run)
    print_fields((*_fields(run), *shape, *_long(run)))


def print_outcome(answer: Any, fields: str | None) -> None:
    """The run that an action was about, as it is now."""
    run = read_run(answer)
    if fields is not None:
        print_json(answer, fields)
    elif is_terminal():
        sys.stdout.write(one_line(f"run {run.run} of {run.model} is {run.why}") + "\n")
    else:
        print_lines([run.line])


def _row(run: Run) -> Sequence[Value]:
    queued = Cell("", ago(run.queued_at.isoformat()))
    return run.run, run.model, run.why, run.scored or run.how_far, run.commit[:7], queued


def _fields(run: Run) -> Iterator[tuple[str, str]]:
    """Those that say something."""
    told = {
        "run": run.run,
        "model": run.model,
        "state": run.why,
        "progress": run.how_far if run.is_going_on else "",
        "message": run.message,
        "compared": run.compared,
        "scores": run.scored,
        "params": _params(run.params),
        "model_params": _params(run.model_params),
        "commit": run.commit,
        "artifact": run.artifact,
        "started by": run.started_by,
        "queued": moment(run.queued_at),
        "began": moment(run.began_at),
        "ended": moment(run.ended_at),
        "peak memory": f"{run.peak_memory / 2**20:.0f} MiB" if run.peak_memory else "",
        "CPU": f"{run.cpu_seconds:.1f} s" if run.cpu_seconds else "",
    }
    yield from ((name, value) for name, value in told.items() if value)
    for one in run.tries:
        yield f"attempt {one.attempt}", f"{one.state}{f' ({one.reason})' if one.reason else ''} {one.message}".strip()


def _curves(run: Run) -> Iterator[tuple[str, str]]:
    yield from curves(point.scores for point in run.curve)


def _steps(run: Run) -> Iterator[tuple[str, str]]:
    for point in run.curve[-_POINTS:]:
        scores = ", ".join(f"{name} {'-' if score is None else f'{score:.4g}'}" for name, score in point.scores.items())
        yield f"step {point.step:g}", scores


def _long(run: Run) -> Iterator[tuple[str, str]]:
    """What would hide the rest if it came before it."""
    if run.detail:
        yield "detail", run.detail
    if run.packages:
        yield "packages", ", ".join(f"{name} {version}" for name, version in sorted(run.packages.items()))


def _params(params: dict[str, Any]) -> str:
    return ", ".join(f"{name}={msgspec.json.encode(value).decode()}" for name, value in params.items())
