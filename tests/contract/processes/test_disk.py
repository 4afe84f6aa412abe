"""A full disk: what is live stays live, and what failed for want of room goes live when there is some."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.disks import fill, small_disk
from tests.repos import Repo
from tests.serving import TOKEN, echo, serving


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "small") as folder:
        yield folder


def test_a_full_disk_stops_pushes_and_nothing_else(tmp_path: Path, small: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Echo/etls.py", echo("one")).write("Other/etls.py", echo("other")).commit()
    with serving(small / "data", repo.path) as server:
        live = small / "data/live.json"
        server.wait(lambda: live.exists() and len(json.loads(live.read_text())["live"]) == 2, "the record")
        filler = fill(small)
        repo.write("Echo/etls.py", echo("two")).write("Echo/weights.bin", b"w" * 1_000_000).commit()
        server.sync()
        said = server.wait(
            lambda: (server.state("Echo")["failure"] or {}).get("message") or problem(server), "an error"
        )
        assert "disk" in said
        assert server.score("Echo")["by"] == "one"
        assert server.score("Other")["by"] == "other"
        sent = {"content": b"PK" + bytes(2_000_000), "headers": {"authorization": f"Bearer {TOKEN}"}}
        upload = server.request("PUT", f"{server.base}/-/api/models/New", **sent)
        assert "make room on the disk that holds DATA_DIR" in upload.error(503, "overloaded")["message"]
        assert json.loads(live.read_text())["live"]["Echo"]["version"] == 1

        filler.unlink()
        server.sync()
        server.wait_live("Echo", "v2")
        assert server.score("Echo")["by"] == "two"
        server.wait(lambda: json.loads(live.read_text())["live"]["Echo"]["version"] == 2, "the record")


def problem(server: object) -> str:
    return str(server.admin("GET", "/-/api/models").json["problem"] or "")  # type: ignore[attr-defined]


def test_a_worker_that_dies_while_the_disk_is_full_is_replaced_at_the_latest_when_there_is_room(
    tmp_path: Path, small: Path
) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Echo/etls.py", echo("one")).write("Other/etls.py", echo("other")).commit()
    with serving(small / "data", repo.path) as server:
        filler = fill(small)
        (victim, _) = server.workers()
        subprocess.run(["kill", "-9", str(victim)], check=True)
        tried = ("could not be replaced", "was replaced")  # it may get the room that the dead one had
        server.wait(lambda: any(said in event["message"] for event in server.events() for said in tried), "a try")
        assert 200 in (server.post("/Echo").status, server.post("/Other").status)
        filler.unlink()
        server.wait(lambda: server.post("/Echo").status == server.post("/Other").status == 200, "both")


def test_a_start_on_a_full_disk_says_so_and_works_once_there_is_room(tmp_path: Path, small: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Echo/etls.py", echo("one")).commit()
    filler = fill(small)
    with pytest.raises(AssertionError, match=r"DATA_DIR .*[Nn]o space"), serving(small / "data", repo.path):
        pass
    filler.unlink()
    with serving(small / "data", repo.path) as server:
        assert server.score("Echo")["by"] == "one"


def test_a_damaged_registry_is_set_aside_and_nothing_else_is_lost(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.commit_file("Echo/etls.py", echo("one"))
    data = tmp_path / "data"
    data.mkdir()
    (data / "registry.db").write_bytes(b"no database" * 1000)
    with serving(data, repo.path) as server:
        server.wait(lambda: "begun anew" in server.log, "the line")
        assert server.log.count("registry.db") == 2, "in one line: what it was, and what it is called now"
        assert server.score("Echo")["by"] == "one"
    with serving(data, repo.path) as server:
        server.wait(lambda: len(server.events("live")) == 2, "the event of the run before")
        assert "begun anew" not in server.log
    assert len(list(data.glob("registry.db.set-aside-*"))) == 1
