"""Asks before what is live is replaced, where somebody is there to be asked."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from pawl.client.api import Api, api_path
from pawl.exits import FAILED, CommandFailed
from pawl.models.state import Told, live_version
from pawl.terminal.text import one_line

_UNKNOWN = (
    "what was live before, but nothing is known to have been that is not rejected: the server will refuse unless it "
    "knows more; --to names another version"
)


def confirm(api: Api, model: str, becomes: Callable[[Told], str], yes: bool) -> str:
    """The version that is live, as its user was shown it; empty where nobody was asked. `becomes`: what would be done
    to it, of the model as the server tells of it; where that is nothing, nobody is asked.

    Raises CommandFailed.
    """
    if yes or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return ""
    told = api.get(api_path("models", model))
    live, then = live_version(told), becomes(told)
    if not then:
        return ""
    click.echo(one_line(f"{model}: {live or 'nothing'} is live, and would be {then}."))
    if not click.confirm("Go on?"):
        raise CommandFailed(FAILED, "nothing was changed")
    return live


def earlier(api: Api, model: str) -> str:
    """What a rollback would probably go back to, in words; they say so where nothing is known."""
    live, *before = api.items(api_path("models", model, "deployments"), 20) or [{}]
    rejected = {
        one.get("release") for one in api.items(api_path("models", model, "versions"), 100) if one.get("rejected")
    }
    for one in before:
        if one.get("release") not in (live.get("release"), *rejected):
            return f"{one.get('version')}, which was live before"
    return _UNKNOWN
