"""What each page names beside itself: a command that does the same, and a route of the API that tells the same."""

from __future__ import annotations

import html
import re
import shlex

import click
import pytest

from pawl.__main__ import app
from tests.server.pages.browser.conftest import Site
from tests.server.pages.browser.test_pages_in_a_browser import PAGES

NEITHER = {"/models/nobody"}
"""A page that tells of nothing."""
GIT_DOES_IT = {"/models/typed/edit", "/models/typed/delete", "/upload?model=typed"}
"""Commits: their JSON is what `PUT` and `DELETE` take."""


def page(site: Site, path: str) -> str:
    return site.server.admin("GET", f"/-{path}").body.decode()


def commands(text: str) -> list[str]:
    return [html.unescape(one) for one in re.findall(r"<code[^>]*>(pawl .*?)</code>", text)]


def parse(command: str) -> None:
    """Raises click's UsageError for what `pawl` would not take."""
    group: click.Command = app
    words = shlex.split(command)[1:]
    context = click.Context(group, info_name="pawl")
    while isinstance(group, click.Group) and words and not words[0].startswith("-"):
        found = group.get_command(context, words[0])
        assert found is not None, command
        group, words, context = found, words[1:], click.Context(found, parent=context)
    group.make_parser(context).parse_args(words)


@pytest.mark.parametrize("path", [path for path in PAGES if path not in NEITHER | GIT_DOES_IT])
def test_every_page_names_commands_that_exist_and_its_json(site: Site, path: str) -> None:
    text = page(site, path)
    found = commands(text)
    assert found
    for command in found:
        parse(command)
    twins = re.findall(r'href="([^"]*/-/api/[^"]*)"', text.partition('<footer class="foot">')[2])
    assert twins
    for twin in map(html.unescape, twins):
        answer = site.server.admin("GET", twin.removeprefix(site.server.settings.base))
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json"), twin


@pytest.mark.parametrize("path", sorted(GIT_DOES_IT))
def test_what_becomes_a_commit_names_how_git_or_the_api_does_it(site: Site, path: str) -> None:
    foot = page(site, path).partition('<footer class="foot">')[2]
    assert re.search(r"<code>(\$EDITOR|git rm|curl -T) .*</code>", foot)
