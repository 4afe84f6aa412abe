"""Nobody reads any more what the server prints: it serves all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx

from server.process.running_file import read_running
from tests.repos import Repo
from tests.serving import ROOT, TOKEN, echo
from tests.waiting import wait_for


def test_a_server_whose_reader_has_gone_serves_keeps_keys_and_stops_in_order(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.commit_file("Echo/etls.py", echo("one"))
    data = tmp_path / "data"
    settings = {"PORT": "0", "gitPath": str(repo.path), "DATA_DIR": str(data), "ADMIN_TOKEN": TOKEN}
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as broken:
        process = subprocess.Popen(
            [sys.executable, "-m", "server"], cwd=ROOT, env={**os.environ, **settings}, stdout=broken, stderr=broken
        )
    try:
        running = wait_for(lambda: read_running(data), "the server", alive=lambda: process.poll() is None)
        assert running is not None
        url = running.url
        wait_for(lambda: httpx.get(f"{url}/Echo").status_code == 200, "the model to be live")
        headers = {"authorization": f"Bearer {TOKEN}"}
        made = {"name": "ada", "scopes": ["view"]}
        wait_for(lambda: httpx.post(f"{url}/-/api/keys", json=made, headers=headers).status_code == 201, "the registry")
    finally:
        process.terminate()
        assert process.wait(100) == 0
