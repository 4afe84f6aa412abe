"""`pawl train FOLDER`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pawl.exits import FAILED, INTERRUPTED, USAGE, CommandFailed
from pawl.options import as_json, command
from pawl.params import read_params
from pawl.terminal.curves import curves
from pawl.terminal.json_output import check_fields, print_json

if TYPE_CHECKING:
    from pawl.train.training import Outcome

OUR_FAULT = 3
_FIELDS = ("run", "model", "state", "reason", "message", "scores")


@command("train")
@click.argument(
    "folder", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter in place of train.params'; may be repeated.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="DIR", help="A folder, new or empty, for what training leaves."
)
@as_json
def train(folder: Path, settings: tuple[str, ...], output: Path | None, fields: str | None) -> int:
    """Train this folder here and now, as the server would.

    Builds the environment, runs the training code in a process of its own, within the memory and time of train in
    model.yaml, and compares its scores with the target. What the code prints, and how far it is, goes to stderr; the
    scores go to stdout. No server is asked, and none learns of it.

    Examples:

      pawl train models_serve/Iris

      pawl train . --set depth=4 --output /tmp/model

    Exit code: 0 if the run would be accepted, 1 if not, 2 for a wrong argument or setting.
    """
    from core.errors import PawlError, SettingError  # here and below: what is slow to import, not for --help

    params = read_params(settings)
    check_fields(fields or "", _FIELDS)
    if output is not None:
        _make(output)
    try:
        outcome = _train(folder, params, output)
    except SettingError as error:
        raise CommandFailed(USAGE, str(error)) from error
    except PawlError as error:
        raise CommandFailed(FAILED, str(error)) from error
    except KeyboardInterrupt:
        raise CommandFailed(INTERRUPTED, "interrupted: the run was cancelled") from None
    except (OSError, RuntimeError) as error:
        if os.environ.get("LOG_LEVEL") == "debug":
            raise
        raise CommandFailed(OUR_FAULT, f"Pawl itself failed: {error!r}; LOG_LEVEL=debug shows where") from error
    _print(outcome, fields)
    if output is not None and outcome.attempt.artifact:
        click.echo(f"what it left is in {output}", err=True)
    return 0 if outcome.is_accepted else FAILED


def _train(folder: Path, params: dict[str, Any], output: Path | None) -> Outcome:
    from core.settings.reading import read_settings, scrubbed
    from pawl.terminal.progress import Progress
    from pawl.train.training import train as train_folder

    settings = read_settings(os.environ)
    with Progress(settings.log_level) as progress:
        return train_folder(folder, settings, scrubbed(os.environ), params, output, progress.tell)


def _cost(outcome: Outcome) -> str:
    attempt = outcome.attempt
    if attempt.running_at is None:
        return ""
    seconds = (attempt.ended_at - attempt.running_at).total_seconds()
    return f" ({seconds:.1f} s, {attempt.peak_memory / 2**20:.0f} MiB)"


def _make(output: Path) -> None:
    """Before hours are spent on what would go there."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        is_empty = not any(output.iterdir())
    except FileExistsError:
        is_empty = False
    except OSError as error:
        raise CommandFailed(USAGE, f"--output {output} can't be made: {error.strerror}; name another") from error
    if not is_empty:
        raise CommandFailed(USAGE, f"{output} is not an empty folder; name another for --output")


def _print(outcome: Outcome, fields: str | None) -> None:
    judgement = outcome.judgement
    if fields is None:
        for name, score in outcome.attempt.scores.items():
            click.echo(f"{name}\t{score:.6g}")
    else:
        told = {"run": outcome.run.run, "model": outcome.run.model, "state": str(judgement.state)}
        told |= {"reason": str(judgement.reason or ""), "message": str(judgement.message or "")}
        print_json({**told, "scores": dict(outcome.attempt.scores)}, fields)
    for name, curve in curves(point.scores for point in outcome.curve):
        click.echo(f"{name}  {curve}", err=True)
    said = "; ".join(str(part) for part in (judgement.reason, judgement.message) if part)
    about = f"run {outcome.run.run} of {outcome.run.model} {judgement.state}{f': {said}' if said else ''}"
    click.echo(f"{about}{_cost(outcome)}", err=True)
    if outcome.unserved:
        click.echo(
            "the folder has nothing to serve this with: add an etls.py, give the class in train.py a method predict, "
            "or leave an .onnx in output",
            err=True,
        )
    if outcome.detail:
        click.echo(outcome.detail.rstrip(), err=True)
