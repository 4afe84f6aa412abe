"""`pawl traffic`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from pawl.client.api import Api, api_path
from pawl.options import as_json, asks_server, command, complete_models, of_version
from pawl.terminal.table import Cell, Value
from pawl.terminal.text import is_terminal, moment, read_moment

_TITLES = ("FROM", "REQUESTS", "FAILED", "P50 ms", "P95 ms", "P99 ms", "MEAN ms", "BATCH")
_LINES = 15
_STEPS_S = (60, 300, 900, 3600, 21_600, 86_400)
_STAGES = ("api", "canary", "shadow", "version", "test", "train", "batch")


@command("traffic")
@click.argument("model", metavar="[MODEL]", default="", shell_complete=complete_models)
@of_version("Of that version alone.")
@click.option(
    "--from",
    "from_",
    default="1h",
    show_default=True,
    metavar="TIME",
    help="From then on: 1h, or a time with its zone.",
)
@click.option("--to", default="", metavar="TIME", help="Until then; by default until now.")
@click.option("--step", default="", metavar="SPAN", help="What a line sums up: 1m, 15m, 1h; without it, what fits.")
@click.option("--stage", type=click.Choice(_STAGES), metavar="STAGE", help=f"Of one kind: {', '.join(_STAGES)}.")
@as_json
@asks_server
def traffic(
    api: Api,
    model: str,
    version: str,
    from_: str,
    to: str,
    step: str,
    stage: str | None,
    fields: str | None,
) -> None:
    """Tell how often models are asked, and how fast they answer, step by step; the last line sums it up.

    Without MODEL, of all of them together. Times are UTC; milliseconds are of the gateway, queueing included.

    Examples:

      pawl traffic Iris

      pawl traffic Iris --version v3 --from 1d --step 1h

      pawl traffic --json totals

    In a pipe it prints a line for each step: its time, requests, failed ones, milliseconds at p50, p95 and p99, mean
    milliseconds and mean batch, with tabs between them.

    Exit code: 3 if there is no such model or version; else as for 'pawl ls'.
    """
    from pawl.terminal.shown import Shown, show  # here and below: what is slow to import, not for --help
    from pawl.terminal.times import as_moment, as_seconds

    since, until = as_moment(from_, "--from"), as_moment(to, "--to")
    step_s = as_seconds(step, "--step") or (_step_s(since, until) if is_terminal() and fields is None else None)
    found = api.get(_path(model, version), {"from": since, "to": until, "stage": stage, "step": step_s})
    rows = [_row(point, moment(point.get("at"))) for point in found.get("points") or ()]
    if totals := found.get("totals"):
        rows.append(_row(totals, "total"))
    show(lambda: Shown(found, _TITLES, rows, "nothing was asked"), fields)


def _step_s(since: str, until: str) -> int:
    """So that a screen holds it all."""
    begin, end = read_moment(since), read_moment(until) or datetime.now(UTC)
    seconds = (end - begin).total_seconds() if begin is not None else 0
    return next((step for step in _STEPS_S if seconds <= step * _LINES), _STEPS_S[-1])


def _path(model: str, version: str) -> str:
    if not model:
        return api_path("traffic")
    return api_path("models", model, *(("versions", version) if version else ()), "traffic")


def _row(point: Mapping[str, Any], at: str) -> tuple[Value, ...]:
    by_status = point.get("by_status") or {}
    failed = sum(count for status, count in by_status.items() if str(status)[:1] == "5")
    return (
        *(at, point.get("requests"), Cell(str(failed), str(failed), "red" if failed else "")),
        *(_number(point.get(name)) for name in ("p50_ms", "p95_ms", "p99_ms", "mean_ms", "batch_mean")),
    )


def _number(value: Any) -> str:
    return "" if value is None else f"{value:.3g}" if value < 1000 else f"{value:.0f}"
