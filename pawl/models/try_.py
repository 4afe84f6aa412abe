"""`pawl try`."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import click

from pawl.client.api import Answer, Api, api_path
from pawl.exits import NOT_FOUND, USAGE, CommandFailed
from pawl.models.state import commit
from pawl.options import as_json, asks_server, command, model, of_version
from pawl.terminal.json_text import json_text, read_json

_PATIENCE_S = 600.0


@command("try")
@model
@click.argument("variables", metavar="[JSON]", default="")
@of_version("Another version than the live one.")
@click.option(
    "--example", type=click.IntRange(min=0), default=0, metavar="NUMBER", help="Which of its examples to send."
)
@as_json
@asks_server
def try_(api: Api, model: str, variables: str, version: str, example: int, fields: str | None) -> None:
    """Ask a model, and show its answer.

    Without JSON, the first of the model's own examples is sent. JSON is the variables, as {"a": 1}, or a list of them;
    @file.json reads them from a file, and - from stdin. What was sent and which version answered goes to stderr, the
    answer to stdout.

    Examples:

      pawl try Iris

      pawl try Iris '{"petals": [1.4, 0.2]}'

      pawl try Iris @rows.json --version v3 | jq

    Exit code: 1 if the model refuses or fails, 2 for what is not valid JSON, 3 if there is no such model or version,
    4 for a wrong or missing key, 6 if the server or the model can't be reached.
    """
    from pawl.terminal.json_output import print_json

    api = api.of_models()
    body = {"variables": _read(variables)} if variables else _example(api, model, example)
    path = "/" + "/".join(quote(part, safe="") for part in (model, version) if part)
    began = time.monotonic()
    answer = _asked(api, path, body)
    _tell(path, body, answer, time.monotonic() - began)
    print_json(answer.json, fields or "")


def _asked(api: Api, path: str, body: Any) -> Answer:
    """By the address that was given or, where that is for operators alone, by the one that the server names."""
    try:
        return api.send("POST", path, body, patience_s=_PATIENCE_S)
    except CommandFailed as refused:
        elsewhere = _models_url(api) if refused.code == NOT_FOUND else ""
        if not elsewhere:
            raise
        if urlsplit(elsewhere).hostname != urlsplit(api.address).hostname:  # a token goes to no other machine
            said = f"{api.address} is for operators (ADMIN_BIND); --server takes the address where models are asked"
            raise CommandFailed(NOT_FOUND, f"{said}: on the server's machine, {elsewhere}") from refused
        return api.at(elsewhere).send("POST", path, body, patience_s=_PATIENCE_S)


def _models_url(api: Api) -> str:
    with suppress(CommandFailed):  # who may only predict isn't told
        return api.get(api_path("system")).get("models_url") or ""
    return ""


def _tell(path: str, body: Any, answer: Answer, seconds: float) -> None:
    from pawl.terminal.text import one_line

    sent = one_line(json_text(body))
    by = " ".join(
        filter(None, (answer.headers.get("x-pawl-version"), commit(answer.headers.get("x-pawl-commit")).shown))
    )
    click.echo(f"POST {path} {sent}", err=True)
    click.echo(f"answered by {by} in {seconds * 1000:.0f} ms", err=True)


def _read(given: str) -> Any:
    try:
        text = sys.stdin.read() if given == "-" else Path(given[1:]).read_text() if given.startswith("@") else given
        return read_json(text)
    except OSError as error:
        raise CommandFailed(USAGE, f"{given[1:]} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise CommandFailed(USAGE, f"the variables are not valid JSON: {error}; such as '{{\"a\": 1}}'") from error


def _example(api: Api, model: str, number: int) -> Any:
    """The body that the model's own example is, as the OpenAPI document has it, which everybody may read."""
    ways = api.get("/openapi.json").get("paths", {})
    found = next((way for path, way in ways.items() if path.rstrip("/").endswith(f"/{quote(model, safe='')}")), None)
    if found is None:
        api.get(api_path("models", model))  # which says why, if there is none
        raise CommandFailed(USAGE, f"{model} is not live, so its examples are not known; give JSON")
    content = found.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
    examples = [one.get("value") for one in content.get("examples", {}).values()]
    examples = examples or [content[name] for name in ("example",) if name in content]
    if number >= len(examples):
        there = f"it has {len(examples)}" if examples else "it has none"
        raise CommandFailed(USAGE, f"{model} has no example {number}: {there}; give JSON, such as '{{\"a\": 1}}'")
    return examples[number]
