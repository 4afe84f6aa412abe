"""Options of commands that change what is live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


def expect(function: Function) -> Function:
    return click.option(
        "--expect", default="", metavar="VERSION", help="Do it only if that is live; otherwise end with 5."
    )(function)


def wait(function: Function) -> Function:
    return click.option(
        "--wait",
        type=click.FloatRange(min=0),
        default=60.0,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for its end at most.",
    )(function)


def yes(function: Function) -> Function:
    return click.option("-y", "--yes", is_flag=True, help="Ask nothing, in a terminal too.")(function)
