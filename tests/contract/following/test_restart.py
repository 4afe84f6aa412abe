"""A restart serves what was live, whatever has become of the remote, of the record or of the files."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.githttp import git_server
from tests.repos import Repo
from tests.serving import echo, serving


def new_repo(folder: Path) -> Repo:
    repo = Repo(folder / "models")
    repo.write("Echo/etls.py", echo("one")).write("Other/etls.py", echo("other")).commit()
    return repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return new_repo(tmp_path)


@dataclass(frozen=True)
class Stopped:
    """A server that served, and is started again by each test; each leaves it as it was."""

    repo: Repo
    data: Path


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Stopped:
    folder = tmp_path_factory.mktemp("restart")
    stopped = Stopped(new_repo(folder), folder / "data")
    with serving(stopped.data, stopped.repo.path):
        pass
    return stopped


def test_what_was_live_is_served_without_the_remote_which_is_followed_again_once_back(
    tmp_path: Path, repo: Repo
) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        server.wait(lambda: (tmp_path / "data/live.json").exists(), "the record")
    away = repo.path.rename(tmp_path / "away")
    with serving(tmp_path / "data", repo.path) as server:
        answer = server.post("/Echo")
        assert (answer.status, answer.json["by"], answer.headers["x-pawl-version"]) == (200, "one", "v1")
        server.sync()
        assert "what is live stays live" in server.events("source_lost")[0]["message"]
        assert server.score("Other")["by"] == "other"
        away.rename(repo.path)
        repo.write("Echo/etls.py", echo("two")).commit()
        server.sync()
        server.wait_live("Echo", "v2")
        assert server.events("source_back")


def test_pages_say_since_when_a_version_is_live_whatever_was_restarted_since(stopped: Stopped) -> None:
    with serving(stopped.data, stopped.repo.path) as server:
        server.sync()
        [entry] = server.admin("GET", "/-/api/models/Echo/deployments").json["items"]
        page = server.admin("GET", "/-/models/Echo").body.decode()
        again = next(event["at"] for event in server.events("live") if event["model"] == "Echo")
    said = page.partition("has been live since")[2].partition("</time>")[0]
    assert f'datetime="{entry["from"][:19]}Z"' in said
    assert entry["from"] < again


def test_a_first_start_without_the_remote_says_that_nothing_is_live(tmp_path: Path) -> None:
    with serving(tmp_path / "data", tmp_path / "nowhere", ready=False) as server:
        server.sync()
        message = server.events("source_lost")[0]["message"]
        assert "check gitPath" in message
        assert message.endswith("(nothing is live yet; it is tried again and again)")


def truncate(live: Path) -> None:
    live.write_bytes(live.read_bytes()[:-20])


def empty(live: Path) -> None:
    live.write_bytes(b"")


def garble(live: Path) -> None:
    live.write_bytes(b"\xff\xfe[" * 100_000)


def twist(live: Path) -> None:
    content = json.loads(live.read_text())
    content["live"] = {"../../etc": {**content["live"]["Echo"], "release": "../../../tmp"}}
    live.write_text(json.dumps(content))


def take_anothers(live: Path) -> None:
    content = json.loads(live.read_text())
    content["source"] = "https://example.org/another.git"
    content["live"]["Ghost"] = content["live"]["Echo"]
    live.write_text(json.dumps(content))


@pytest.mark.parametrize("spoil", [truncate, empty, garble, twist, take_anothers])
def test_a_record_that_is_no_good_is_left_alone_and_written_anew(
    stopped: Stopped, spoil: Callable[[Path], None]
) -> None:
    live = stopped.data / "live.json"
    spoil(live)
    with serving(stopped.data, stopped.repo.path) as server:
        server.wait_live("Echo", "v1")
        server.wait_live("Other", "v1")
        assert server.post("/Ghost").status == 404
        server.wait(lambda: set(json.loads(live.read_text())["live"]) == {"Echo", "Other"}, "the record")


def test_no_credentials_are_written_down(tmp_path: Path, repo: Repo) -> None:
    repo.bare(tmp_path / "served/models.git")
    with git_server(tmp_path / "served", "ada", "s3cr3t") as git:
        with serving(tmp_path / "data", git.url("models.git"), usergit="ada", gitpassword="s3cr3t") as server:
            server.wait_live("Echo", "v1")
        assert any(login for _, login in git.logins)
    for path in (tmp_path / "data").rglob("*"):
        assert not path.is_file() or b"s3cr3t" not in path.read_bytes(), path


def remove_release(data: Path) -> None:
    remove(data / "releases/Echo")


def remove_a_file(data: Path) -> None:
    (file,) = (data / "releases/Echo").glob("*/Echo/etls.py")
    file.parent.chmod(0o755)
    file.unlink()


def cut_a_file(data: Path) -> None:
    (file,) = (data / "releases/Echo").glob("*/Echo/etls.py")
    file.chmod(0o644)
    os.truncate(file, 3)
    file.chmod(0o444)


def remove(folder: Path) -> None:
    for where, _, _ in os.walk(folder):
        os.chmod(where, 0o700)
    shutil.rmtree(folder)


@pytest.mark.parametrize("spoil", [remove_release, remove_a_file, cut_a_file])
def test_a_release_that_was_damaged_on_disk_is_checked_out_again_even_without_the_remote(
    stopped: Stopped, spoil: Callable[[Path], None]
) -> None:
    away = stopped.repo.path.rename(stopped.repo.path.with_name("away"))
    try:
        spoil(stopped.data)
        with serving(stopped.data, stopped.repo.path) as server:
            assert server.score("Echo")["by"] == "one"
    finally:
        away.rename(stopped.repo.path)


def test_a_worker_whose_files_were_lost_meanwhile_is_replaced_all_the_same(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        remove(tmp_path / "data/releases")
        before = server.workers()
        for pid in before:
            os.kill(pid, 9)
        server.wait(lambda: len(server.events("worker_replaced")) == 2, "the replacements")
        server.wait(lambda: server.post("/Echo").status == 200, "an answer")
        assert server.score("Echo")["by"] == "one"


def test_a_data_folder_with_a_very_long_path_works(tmp_path: Path, repo: Repo) -> None:
    data = tmp_path / "/".join(["long" * 10] * 5)
    for _ in range(2):
        with serving(data, repo.path) as server:
            assert server.score("Echo")["by"] == "one"
            assert server.admin("GET", "/-/api/models").status == 200
