"""`pawl train FOLDER`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pawl.exits import FAILED, INTERRUPTED, USAGE, exit_with

if TYPE_CHECKING:
    from pawl.training import Outcome

OUR_FAULT = 3


def train(
    folder: Annotated[
        Path,
        typer.Argument(exists=True, file_okay=False, resolve_path=True, metavar="FOLDER", help="The model's folder."),
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A parameter in place of train.params'; may be repeated."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="DIR", help="A folder, new or empty, for what training leaves."),
    ] = None,
) -> None:
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

    params = _params(settings or [])
    if output is not None and output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise exit_with(USAGE, f"{output} is not an empty folder; name another for --output")
    try:
        outcome = _train(folder, params, output)
    except SettingError as error:
        raise exit_with(USAGE, str(error)) from error
    except PawlError as error:
        raise exit_with(FAILED, str(error)) from error
    except KeyboardInterrupt:
        raise exit_with(INTERRUPTED, "interrupted: the run was cancelled") from None
    except (OSError, RuntimeError) as error:
        if os.environ.get("LOG_LEVEL") == "debug":
            raise
        raise exit_with(OUR_FAULT, f"Pawl itself failed: {error!r}; LOG_LEVEL=debug shows where") from error
    _print(outcome)
    raise typer.Exit(0 if outcome.is_accepted else FAILED)


def _train(folder: Path, params: dict[str, Any], output: Path | None) -> Outcome:
    from core.settings import read_settings, scrubbed
    from pawl.progress import Progress
    from pawl.training import train as train_folder

    settings = read_settings(os.environ)
    with Progress(settings.log_level) as progress:
        return train_folder(folder, settings, scrubbed(os.environ), params, output, progress.tell)


def _params(given: list[str]) -> dict[str, Any]:
    """Values are read as model.yaml's are: 4 is a number, and true is true."""
    import yaml

    from core.manifest.plain_yaml import NotPlain, read_yaml

    params = {}
    for part in given:
        key, equals, value = part.partition("=")
        if not equals or not key.isidentifier():
            raise exit_with(USAGE, f"--set {part}: takes KEY=VALUE, such as depth=4")
        try:
            params[key] = read_yaml(value.encode()).content
        except (yaml.YAMLError, NotPlain) as error:
            raise exit_with(USAGE, f"--set {part}: {' '.join(str(error).split())}") from error
    return params


def _print(outcome: Outcome) -> None:
    for name, score in outcome.attempt.scores.items():
        typer.echo(f"{name}\t{score:.6g}")
    judgement = outcome.judgement
    said = "; ".join(str(part) for part in (judgement.reason, judgement.message) if part)
    typer.echo(f"run {outcome.run.run} of {outcome.run.model} {judgement.state}{f': {said}' if said else ''}", err=True)
    if outcome.attempt.detail and not outcome.is_accepted:
        typer.echo(outcome.attempt.detail.rstrip(), err=True)
