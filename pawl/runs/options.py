"""Options and arguments that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

Server = Annotated[
    str, typer.Option(envvar="PAWL_SERVER", metavar="ADDRESS", help="Where models are served, baseUrl included.")
]
Token = Annotated[str, typer.Option(envvar="PAWL_TOKEN", show_default=False, help="The server's ADMIN_TOKEN.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Run = Annotated[str, typer.Argument(metavar="RUN", help="A run's key, 12 hexadecimal digits: pawl runs lists them.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", show_default=False, help="Why, for those who ask later.")]
