"""`pawl diff`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from pawl.client.api import Api, api_path
from pawl.options import as_json, asks_server, command, complete_versions, model
from pawl.terminal.json_text import json_text
from pawl.terminal.text import is_terminal, one_line, printable

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@command("diff")
@model
@click.argument("version", metavar="VERSION", shell_complete=complete_versions)
@click.argument("other", metavar="[VERSION]", default="", shell_complete=complete_versions)
@as_json
@asks_server
def diff(api: Api, model: str, version: str, other: str, fields: str | None) -> None:
    """Compare two versions: their files, packages and scores, and what each answered to the examples.

    With one VERSION, it is compared with the live one, or, if it is live, with the one before it. With two, the first
    is what the second is compared with.

    Examples:

      pawl diff Iris v4

      pawl diff Iris v2 v4

      pawl diff Iris v2 v4 --json answers | jq '.answers[] | select(.same | not)'

    Exit code: 0, whether they differ or not; 3 if there is no such model or version; else as for 'pawl ls'.
    """
    from pawl.terminal.json_output import print_json

    path = api_path("models", model, "versions", other or version, "diff")
    found = api.get(path, {"from": version if other else ""})
    if fields is not None:
        print_json(found, fields)
        return
    for line in _lines(found):
        sys.stdout.write(_coloured(line) + "\n")


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    before, after = found.get("from") or {}, found.get("to") or {}
    yield f"--- {_name(before)}"
    yield f"+++ {_name(after)}"
    yield from printable(found.get("diff") or "").splitlines()
    if found.get("truncated"):
        yield "… (the diff is longer than is told)"
    yield from _section("packages", list(_packages(found.get("packages") or {})))
    yield from _section("scores", list(_scores(found.get("scores") or {})))
    yield from _section("answers", list(_answers(found.get("answers") or ())))


def _name(version: Mapping[str, Any]) -> str:
    said, author, message = (str(version.get(name) or "") for name in ("commit", "author", "message"))
    commit = "(local)" if said.startswith("local-") else said[:7]
    what = f": {one_line(message)[:72]}" if message else ""
    return one_line(f"{version.get('version')} {commit} {author}".rstrip() + what)


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield from ("", f"@@ {title} @@", *lines)


def _packages(found: Mapping[str, Any]) -> Iterator[str]:
    for name, (was, now) in sorted((found.get("changed") or {}).items()):
        yield from (f"-{name} {was}", f"+{name} {now}")
    yield from (f"-{name} {was}" for name, was in sorted((found.get("removed") or {}).items()))
    yield from (f"+{name} {now}" for name, now in sorted((found.get("added") or {}).items()))


def _scores(found: Mapping[str, Any]) -> Iterator[str]:
    for name, score in found.items():
        yield f"{' ' if score.get('from') == score.get('to') else '!'}{name} {score.get('from')} → {score.get('to')}"


def _answers(found: Any) -> Iterator[str]:
    """Those that differ; of the others, how many there are."""
    same = sum(1 for one in found if one.get("same"))
    if same:
        yield f" {same} answered the same"
    for one in found:
        if not one.get("same"):
            yield f" {_json(one.get('variables'))}"
            yield from (f"-  {_json(one.get('from'))}", f"+  {_json(one.get('to'))}")


def _json(value: Any) -> str:
    return "not asked" if value is None else one_line(json_text(value))


def _coloured(line: str) -> str:
    return click.style(line, fg=_COLOURS.get(line[:1])) if is_terminal() and line[:1] in _COLOURS else line
