"""A local folder without a model in it: what is said of it is so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pawl.commands import pawl
from tests.serving import TOKEN, Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("empty")
    (home / "models_serve").mkdir()
    with serving(home / "data", cwd=home, ready=False) as server:
        server.wait(lambda: server.admin("GET", "/-/api/models").json["problem"], "the look")
        yield server


def test_the_page_says_that_there_is_no_model_and_how_to_make_one_there(server: Server) -> None:
    page = server.admin("GET", "/-/").body.decode()
    assert "Nothing new is served." in page
    assert "holds no model" in page
    assert "be read" not in page.partition('<main id="main"')[2]
    assert "In that folder" in page
    assert "Push it" not in page


def test_the_command_line_says_the_same(server: Server, tmp_path: Path) -> None:
    for command in (["ls"], ["sync", "--wait"]):
        done = pawl(*command, cwd=tmp_path, PAWL_SERVER=server.base, PAWL_TOKEN=TOKEN)
        assert "pawl: nothing new is served: " in done.stderr
        assert "holds no model" in done.stderr
        assert "be read" not in done.stderr
