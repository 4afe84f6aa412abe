"""What the commands that change what is live have in common: their options, and how they ask and tell."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from pawl.client.api import Api, api_path
from pawl.options import FiniteRange, as_json, asks_server, complete_versions, named, reason


@dataclass(frozen=True)
class Acting:
    """One command's action, with what its user gave for it."""

    api: Api
    reason: str
    expect: str
    """The version that is to be live; empty: any."""
    wait_s: float
    fields: str | None

    def do(self, method: str, *path: str, says: str, seen: str = "", **more: str) -> None:
        """Ask for it, wait for its end, and tell that. Raises CommandFailed.

        `path`: below `models`. `says`: what has been done, where the server has no words of its own for it. `seen`: the
        live version that the user was shown. `more` goes with the request.
        """
        from pawl.steering.outcome import act, print_outcome  # here: what is slow to import, not for --help

        asked = {**more, "reason": self.reason, "expect": self.expect or seen}
        answer = act(self.api, method, api_path("models", *path), asked, self.wait_s, self.fields)
        print_outcome(answer, says, self.fields)


def acts(function: Callable[..., None]) -> Callable[..., None]:
    """With --reason, --expect, --wait, --json and which server; the function is given the Acting first."""

    @reason
    @version_option("--expect", "Do it only if that is live; otherwise end with 5.")
    @click.option(
        "--wait",
        type=FiniteRange(min=0),
        default=60.0,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for its end at most.",
    )
    @as_json
    @asks_server
    @functools.wraps(function)
    def run(api: Api, reason: str, expect: str, wait: float, fields: str | None, **given: Any) -> None:
        function(Acting(api, reason, expect, wait, fields), **given)

    return run


def version_option(name: str, says: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(
        name, default=None, metavar="VERSION", callback=named, shell_complete=complete_versions, help=says
    )


def yes(function: Callable[..., None]) -> Callable[..., None]:
    return click.option("-y", "--yes", is_flag=True, help="Ask nothing, in a terminal too.")(function)
