"""Parameters as they are given to a command: `--set KEY=VALUE`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pawl.exits import USAGE, CommandFailed


def read_params(given: Iterable[str]) -> dict[str, Any]:
    """Values are read as model.yaml's are: 4 is a number, and true is true. Raises CommandFailed."""
    return dict(map(_param, given))


def _param(part: str) -> tuple[str, Any]:
    import yaml  # here and below: what is slow to import, not for --help

    from core.manifest.plain_yaml import NotPlain, read_yaml

    key, equals, value = part.partition("=")
    if not equals or not key.isidentifier():
        raise CommandFailed(USAGE, f"--set {part}: takes KEY=VALUE, such as depth=4")
    try:
        return key, read_yaml(value.encode()).content
    except (yaml.YAMLError, NotPlain) as error:
        raise CommandFailed(USAGE, f"--set {part}: {' '.join(str(error).split())}") from error
