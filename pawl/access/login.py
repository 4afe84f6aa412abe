"""`pawl login`."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from pawl.options import command


@command("login")
@click.argument("address", metavar="[ADDRESS]", default="")
@click.option("--server", envvar="PAWL_SERVER", metavar="ADDRESS", default="", help="The same as ADDRESS.")
@click.option(
    "--token", metavar="TOKEN", default=None, help="The key; without it, it is asked for, or read from a pipe."
)
@click.option("--forget", is_flag=True, help="Forget the server and its key instead.")
def login(address: str, server: str, token: str | None, forget: bool) -> int:
    """Keep the address and the key of a server, so that commands need neither --server nor --token.

    The key is tried before it is kept. It is kept in pawl/login.json in your configuration folder (~/.config), readable
    for you alone, and sent to no other server. Several servers are kept; the last one is asked where none is named.

    Examples:

      pawl login https://models.example.org/models_serve

      pawl login https://models.example.org/models_serve < key.txt

      pawl login --forget

    Exit code: 0 if it is kept, 2 for what is no address, 3 if no Pawl is there, 4 for a wrong key, 6 if the server
    can't be reached.
    """
    from pawl.client.address import address_of  # here and below: what is slow to import, not for --help
    from pawl.client.connection import where
    from pawl.client.login_file import LoginFile

    file = LoginFile(os.environ)
    at = address_of(address or server) if address or server else where("").admin
    if forget:
        known = file.forget(at)
        sys.stdout.write(f"{at} is forgotten\n" if known else f"{at} was not kept\n")
        return 0
    held = (token if token is not None else _asked()).strip()
    count = len(_tried(at, held))
    file.add(at, held)
    sys.stdout.write(f"{at} is kept in {file.path}; it serves {count} model{'' if count == 1 else 's'}\n")
    return 0


def _asked() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    return str(click.prompt("Key (nothing where none is needed)", default="", hide_input=True, show_default=False))


def _tried(address: str, token: str) -> list[Any]:
    from pawl.client.api import Api, api_path

    return Api(address, token).items(api_path("models"), 10_000)
