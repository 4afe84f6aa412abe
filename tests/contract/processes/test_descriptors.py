"""A process that may open few files: callers who open connections take none from what Pawl needs itself."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.repos import Repo
from tests.serving import echo, serving


def test_callers_leave_a_gateway_the_descriptors_that_it_needs(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models").write("Echo/etls.py", echo("first"))
    repo.commit()
    with (
        serving(tmp_path / "data", repo.path, by=["prlimit", "--nofile=200:256"]) as server,
        ExitStack() as held,
    ):
        assert "so each gateway takes 128 connections at most, not 20000" in server.log
        url = httpx.URL(server.url)
        assert server.score("Echo")["by"] == "first"  # on a connection that is kept
        for _ in range(300):
            held.enter_context(socket.create_connection((url.host, url.port or 80), timeout=60))
        assert server.get("/").status == 200
        repo.write("Echo/etls.py", echo("second")).commit()
        server.sync()
        server.wait_live("Echo", "v2")
        assert server.score("Echo")["by"] == "second"
