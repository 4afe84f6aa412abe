"""Runs as people and programs read them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from core.runs.states import RunState
from pawl.runs.run import Run, read_run
from pawl.terminal.curves import curves
from pawl.terminal.json_output import print_json
from pawl.terminal.text import moment

if TYPE_CHECKING:
    from rich.text import Text

_POINTS = 10
"""Of a curve that a pipe gets."""
_COLOURS = {
    RunState.SUCCEEDED: "green",
    RunState.RUNNING: "cyan",
    RunState.EVALUATING: "cyan",
    RunState.FAILED: "red",
    RunState.LOST: "red",
    RunState.REJECTED: "yellow",
}


def print_list(runs: Sequence[Run]) -> None:
    """A table for a terminal; else a line for each, with tabs between."""
    if not sys.stdout.isatty():
        _print_lines(run.line for run in runs)
    elif runs:
        _print_table(runs)
    else:
        sys.stdout.write("there are no such runs\n")


def print_run(run: Run) -> None:
    """Everything; else a line for each field."""
    if not sys.stdout.isatty():
        _print_lines((*_fields(run), *_steps(run), *_long(run)))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, value in (*_fields(run), *_curves(run), *_long(run)):
        table.add_row(Text(name, style="bold"), _state(run) if name == "state" else Text(value))
    Console(highlight=False).print(table)


def print_outcome(answer: Any, fields: str | None) -> None:
    """The run that an action was about, as it is now."""
    run = read_run(answer)
    if fields is not None:
        print_json(answer, fields)
    elif sys.stdout.isatty():
        sys.stdout.write(f"run {run.run} of {run.model} is {run.why}\n")
    else:
        _print_lines([run.line])


def _print_lines(lines: Iterable[Iterable[str]]) -> None:
    for line in lines:
        sys.stdout.write("\t".join(" ".join(part.split()) for part in line) + "\n")


def _print_table(runs: Sequence[Run]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("RUN", "MODEL", "STATE", "SCORES", "COMMIT", "QUEUED"):
        table.add_column(title, no_wrap=title in ("RUN", "COMMIT", "QUEUED"))
    for run in runs:
        scored = run.scored or run.how_far
        table.add_row(run.run, Text(run.model), _state(run), Text(scored), Text(run.commit[:7]), _ago(run.queued_at))
    Console(highlight=False).print(table)


def _state(run: Run) -> Text:
    from rich.text import Text

    return Text(run.why, style=_COLOURS.get(RunState(run.state), "dim") if run.state in list(RunState) else "")


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


def _ago(at: datetime) -> str:
    past = max(datetime.now(UTC) - at, timedelta())
    if past < timedelta(minutes=1):
        return f"{past.seconds} s ago"
    if past < timedelta(hours=1):
        return f"{past.seconds // 60} min ago"
    return f"{past.seconds // 3600} h ago" if past < timedelta(days=1) else f"{past.days} d ago"
