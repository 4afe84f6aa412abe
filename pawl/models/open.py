"""`pawl open`."""

from __future__ import annotations

import sys
from urllib.parse import quote

import click

from pawl.client.api import Api, api_path
from pawl.exits import CREDENTIALS, NOT_FOUND, CommandFailed
from pawl.options import as_json, asks_server, command, complete_models
from pawl.terminal.json_output import print_json

_PAGES = ("catalogue", "monitoring", "events", "keys", "docs")


def _named(context: click.Context, option: click.Parameter, typed: str) -> list[str]:
    return [page for page in _PAGES if page.startswith(typed)] + complete_models(context, option, typed)


@command("open")
@click.argument("what", metavar="[MODEL|PAGE]", default="", shell_complete=_named)
@click.option("--print", "only_print", is_flag=True, help="Print the address, and open nothing; so does --json.")
@as_json
@asks_server
def open_(api: Api, what: str, only_print: bool, fields: str | None) -> None:
    """Open a page in the browser: a model's, or one of catalogue, monitoring, events, keys and docs.

    Where there is no browser, the address is printed. The server is asked first whether there is such a model, unless
    it wants a key for that and none is given: then the page asks for one.

    Examples:

      pawl open

      pawl open Iris

      pawl open monitoring --print

    Exit code: 0 once it is opened or printed, 3 if there is no such model or page, 6 if the server can't be asked.
    """
    if what and what not in _PAGES:
        _check(api, what)
    path = _path(what)
    address = (api.address if path.startswith("/-/") else api.models) + path
    if fields is not None:
        print_json({"url": address}, fields)
    elif only_print or click.launch(address) != 0:
        sys.stdout.write(f"{address}\n")


def _check(api: Api, model: str) -> None:
    """Raises CommandFailed where there is no such model."""
    try:
        api.get(api_path("models", model))
    except CommandFailed as failed:
        if failed.code == NOT_FOUND:
            pages = ", ".join(_PAGES)
            raise CommandFailed(NOT_FOUND, f"{failed}; 'pawl ls' lists the models, and pages are {pages}") from failed
        if failed.code != CREDENTIALS:
            raise


def _path(what: str) -> str:
    if what == "docs":
        return "/docs"
    if what in _PAGES or not what:
        return "/-/" if what in ("", "catalogue") else f"/-/{what}"
    return f"/-/models/{quote(what, safe='')}"
