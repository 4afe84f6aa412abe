"""Options and arguments that several commands take, and what all commands are made by."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

from pawl.client.connection import connect
from pawl.help_text import TextCommand

Function = TypeVar("Function", bound=Callable[..., Any])
T = TypeVar("T")


class FiniteRange(click.FloatRange):
    """NaN and infinity are within any range to click."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


def command(name: str) -> Callable[[Callable[..., int | None]], click.Command]:
    """A command called `name`, whose help is the function's docstring, and whose exit code is what that returns."""
    return click.command(name, cls=TextCommand)


def asks_server(function: Callable[..., T]) -> Callable[..., T]:
    """With --server and --token; the function is given the Api for them as its first argument."""

    @click.option("--server", envvar="PAWL_SERVER", metavar="ADDRESS", default="", help=_SERVER)
    @click.option("--token", envvar="PAWL_TOKEN", metavar="TOKEN", default="", help=_TOKEN)
    @functools.wraps(function)
    def run(server: str, token: str, **given: Any) -> T:
        return function(connect(server, token), **given)

    return run


_SERVER = "Where models are served, baseUrl included; or PAWL_SERVER, or what 'pawl login' kept."
_TOKEN = "A key, or the server's ADMIN_TOKEN; or PAWL_TOKEN, or what 'pawl login' kept."


def as_json(function: Function) -> Function:
    """`fields`: None: not asked for; empty: all of them."""
    return click.option(
        "--json",
        "fields",
        is_flag=False,
        flag_value="",
        default=None,
        metavar="[FIELDS]",
        help="Print JSON, for programs; FIELDS (a,b.c) are those to print, all without.",
    )(function)


def model(function: Function) -> Function:
    return click.argument("model", metavar="MODEL", callback=named, shell_complete=complete_models)(function)


def version(function: Function) -> Function:
    return click.argument("version", metavar="VERSION", callback=named, shell_complete=complete_versions)(function)


def of_version(says: str) -> Callable[[Function], Function]:
    return click.option("--version", default="", metavar="VERSION", shell_complete=complete_versions, help=says)


def reason(function: Function) -> Function:
    return click.option("--reason", default="", metavar="TEXT", help="Why, for those who ask later.")(function)


def limit(count: int) -> Callable[[Function], Function]:
    return click.option(
        "--limit",
        type=click.IntRange(min=1),
        default=count,
        show_default=True,
        metavar="COUNT",
        help="How many at most.",
    )


def watch(function: Function) -> Function:
    return click.option("-w", "--watch", is_flag=True, help="Go on, and show what changes, until Ctrl-C.")(function)


def named(context: click.Context, parameter: click.Parameter, given: str | None) -> str:
    """What names something; empty where nothing is given. A script whose variable is empty means something all the
    same."""
    if given is not None and not given.strip():
        raise click.BadParameter("it is empty", context, parameter)
    return given or ""


def complete_models(context: click.Context, _: click.Parameter, typed: str) -> list[str]:
    from pawl.client.completion import models

    return models(context.params, typed)


def complete_versions(context: click.Context, _: click.Parameter, typed: str) -> list[str]:
    """Of the model that was named before."""
    from pawl.client.completion import versions

    return versions(context.params, typed)
