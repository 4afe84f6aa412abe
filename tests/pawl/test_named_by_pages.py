"""The commands that operators' pages name are commands of `pawl`, with options that it takes."""

from __future__ import annotations

import html
import json
import re
import shlex
from collections.abc import Iterator

import click
import pytest

from pawl.__main__ import app
from pawl.terminal.times import as_moment
from tests.repos import Repo
from tests.serving import TOKEN, Server, echo, serving

PAGES = (
    "",
    "events?model=Echo&kind=live&actor=pawl",
    "keys",
    "models/Echo",
    "models/Echo/compare?from=v1",
    "models/Echo/configuration",
    "models/Echo/deployments?at=2026-03-10+16:00",
    "models/Echo/logs?version=v1",
    "models/Echo/runs",
    "models/Echo/try",
    "models/Echo/versions",
    *(f"models/Echo/actions/{act}?version=v1" for act in ("load", "pin", "rollback", "unload")),
    "monitoring?range=1y&model=Echo&version=v1&stage=api",
    "monitoring?from=2026-03-10T16:00:00Z&to=2026-03-10T17:00:00Z",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("named")
    repo = Repo(folder / "models")
    repo.write("Echo/etls.py", echo("one")).write("Echo/examples.json", json.dumps([{"variables": {}}])).commit("One")
    with serving(folder / "data", repo.path) as server:
        repo.commit_file("Echo/etls.py", echo("two"), "Two")
        server.sync()
        yield server


def named(server: Server, page: str) -> list[list[str]]:
    shown = server.get(f"/-/{page}", {"authorization": f"Bearer {TOKEN}", "accept": "text/html"})
    assert shown.status == 200, page
    return [shlex.split(html.unescape(text)) for text in re.findall(r"<code[^>]*>(pawl [^<]*)<", shown.body.decode())]


def parse(words: list[str], group: click.Group = app) -> click.Context:
    """As the command line parses it, and without doing it. Raises UsageError where it can't."""
    name, command, rest = group.resolve_command(click.Context(group), words)
    assert command is not None
    if isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        return parse(rest, command)
    return command.make_context(name, rest)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_commands_that_there_are(server: Server, page: str) -> None:
    found = named(server, page)
    assert found, "each page names at least one"
    for words in found:
        given = parse(words[1:]).params
        for option in ("from_", "at", "since"):
            as_moment(given.get(option) or "", f"--{option} of {words}")
