"""Arguments that several commands about runs take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


def run(function: Function) -> Function:
    """A run's key, 12 hexadecimal digits: pawl runs lists them."""
    return click.argument("run", metavar="RUN")(function)
