"""What people decided outlasts restarts, pushes, rewritten history, deletions and the loss of the database."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from tests.admin_actions import act, live, pinned
from tests.repos import Repo
from tests.serving import Server, echo, serving

AWAY = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "models")


def push(server: Server, repo: Repo, edition: str) -> None:
    repo.commit_file("Echo/etls.py", echo(edition))
    server.sync()


def test_a_pin_holds_against_pushes_restarts_rewritten_history_and_the_deletion_of_its_folder(
    tmp_path: Path, repo: Repo
) -> None:
    data = tmp_path / "data"
    repo.commit_file("Other/etls.py", echo("other"))
    first = repo.head
    repo.commit_file("Echo/etls.py", echo("one"))
    with serving(data, repo.path) as server:
        assert act(server, "PUT", "models/Echo/pin", {"version": "v1", "reason": "it works"}).status == 200
        push(server, repo, "two")
        assert (live(server, "Echo"), server.score("Echo")["by"]) == ("v1", "one")
        repo.reset(first).commit_file("Echo/etls.py", echo("rewritten"))
        server.sync()
        assert server.score("Echo")["by"] == "one"
        told = act(server, "GET", "models/Echo/versions").json["items"]
        assert [(one["version"], one["role"]) for one in told] == [("v1", "live"), ("v1", None)]
        pinned_at = told[0]["commit"]
        error = act(server, "PUT", "models/Echo/pin", {"version": "v1"}).error(404, "version_ambiguous")
        assert error["commits"] == [pinned_at, repo.head], "what is live goes by that name, and so does another"
        again = act(server, "PUT", "models/Echo/pin", {"version": pinned_at, "expect": "v1", "reason": "it works"})
        assert (again.status, server.score("Echo")["by"]) == (200, "one")
        assert act(server, "GET", f"models/Echo/versions/{pinned_at}").json["role"] == "live"
        assert "rewritten" in act(server, "GET", f"models/Echo/versions/{pinned_at}/diff?from={repo.head}").json["diff"]
        compared = server.admin("GET", "/-/models/Echo/compare")
        assert compared.status == 200, "the newest of the history, with what is live"
        assert repo.head[:7] in compared.body.decode()
        server.stop(signal.SIGKILL)
    with serving(data, repo.path) as server:
        assert server.score("Echo")["by"] == "one", "its commit is in no history any more"
        repo.remove("Echo").commit()
        server.sync()
        assert server.score("Echo")["by"] == "one"
        assert act(server, "GET", "models/Echo/versions?limit=2").json["items"][0]["role"] == "live"
        server.stop(signal.SIGKILL)
    with serving(data, repo.path, DATABASE_URL=AWAY) as server:
        server.sync()
        assert server.score("Echo")["by"] == "one"
        act(server, "DELETE", "models/Echo/pin").error(503, "registry_unavailable")
        act(server, "PUT", "models/Other/pin", {"version": "v1"}).error(503, "registry_unavailable")
        assert server.score("Echo")["by"] == "one"
    with serving(data, repo.path) as server:
        assert server.score("Echo")["by"] == "one"
        server.sync()
        assert server.state("Echo")["pin"]["folder_gone"]
        assert "Its folder has gone" in server.admin("GET", "/-/models/Echo/actions/unpin").body.decode()
        lifted = act(server, "DELETE", "models/Echo/pin")
        gone = "the folder of Echo has gone, so nothing of it is served any more"
        assert (lifted.status, lifted.json["message"]) == (200, f"no longer pinned at v1; {gone}")
        assert server.events("unpinned")[0]["message"] == f"no longer pinned at v1; {gone}"
        server.post("/Echo").error(404, "model_not_found")
        assert server.score("Other")["by"] == "other"


def test_what_is_pushed_after_a_rollback_goes_live_and_what_was_rejected_does_not(tmp_path: Path, repo: Repo) -> None:
    data = tmp_path / "data"
    repo.commit_file("Echo/etls.py", echo("one"))
    with serving(data, repo.path) as server:
        push(server, repo, "two")
        assert act(server, "POST", "models/Echo/rollback").status == 200
        repo.commit_file("README.md", "words")
        server.sync()
        assert server.score("Echo")["by"] == "one"
        server.stop(signal.SIGKILL)
    with serving(data, repo.path) as server:
        server.sync()
        assert server.score("Echo")["by"] == "one"
        push(server, repo, "three")
        assert server.score("Echo")["by"] == "three"
        push(server, repo, "two")
        assert server.score("Echo")["by"] == "three", "the same content again is what was rejected"
        assert act(server, "POST", "models/Echo/versions/v2/accept").status == 200
        assert server.score("Echo")["by"] == "two"


def test_a_rollback_leaves_what_is_live_although_the_newest_release_cannot_be_served(
    tmp_path: Path, repo: Repo
) -> None:
    repo.commit_file("Echo/etls.py", echo("one"))
    with serving(tmp_path / "data", repo.path) as server:
        push(server, repo, "two")
        repo.commit_file("Echo/etls.py", echo("x") + "    def __init__(self):\n        raise OSError\n")
        server.sync()
        assert live(server, "Echo") == "v2"
        rolled_back = act(server, "POST", "models/Echo/rollback")
        assert (rolled_back.status, live(server, "Echo")) == (200, "v1")
        accepted = act(server, "POST", "models/Echo/versions/v2/accept")
        assert accepted.status == 200, "another version failed, and not what was accepted"
        assert accepted.json["message"].startswith("v2 is no longer rejected; v3 failed at load: ")
        assert accepted.json["message"].endswith("(v1 stays live)")
        assert act(server, "PUT", "models/Echo/pin", {"version": "v1"}).status == 200
        lifted = act(server, "DELETE", "models/Echo/pin").error(422, "release_failed")
        assert lifted["message"].startswith("no longer pinned at v1; v3 failed at load: ")
        push(server, repo, "four")
        assert server.score("Echo")["by"] == "four"


def test_a_server_without_what_it_kept_asks_the_registry_before_it_serves(tmp_path: Path, repo: Repo) -> None:
    data = tmp_path / "data"
    repo.commit_file("Echo/etls.py", echo("one"))
    with serving(data, repo.path) as server:
        push(server, repo, "two")
        assert act(server, "PUT", "models/Echo/pin", {"version": "v1"}).status == 200
    (data / "live.json").unlink()
    with serving(data, repo.path) as server:
        assert server.score("Echo")["by"] == "one"
        assert server.events("live")[0]["version"] == "v1"


def test_what_is_pinned_and_can_be_found_nowhere_is_not_replaced_by_what_is_pushed(tmp_path: Path, repo: Repo) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    repo.commit_file("Echo/etls.py", echo("one"))
    with serving(data, repo.path) as server:
        assert act(server, "PUT", "models/Echo/pin", {"version": "v1"}).status == 200
    repo.git("checkout", "--quiet", "--orphan", "fresh")
    repo.commit_file("Echo/etls.py", echo("fresh"))
    repo.git("branch", "--move", "--force", "main")
    elsewhere.mkdir(mode=0o700)
    shutil.copy(data / "registry.db", elsewhere)
    with serving(elsewhere, repo.path) as server:
        server.post("/Echo").error(503, "not_live")
        assert "found neither in the source nor on this disk" in server.state("Echo")["failure"]["message"]
        assert act(server, "DELETE", "models/Echo/pin").status == 200
        assert server.score("Echo")["by"] == "fresh"


def test_what_was_decided_is_written_again_into_a_registry_that_was_lost(tmp_path: Path, repo: Repo) -> None:
    data = tmp_path / "data"
    for model in ("Back", "Echo"):
        repo.write(f"{model}/etls.py", echo("one"))
    repo.commit()
    with serving(data, repo.path) as server:
        for model in ("Back", "Echo"):
            repo.write(f"{model}/etls.py", echo("two"))
        repo.commit()
        server.sync()
        assert act(server, "PUT", "models/Echo/pin", {"version": "v1"}).status == 200
        assert act(server, "POST", "models/Back/rollback").status == 200
    for file in data.glob("registry.db*"):
        file.unlink()
    with serving(data, repo.path) as server:
        server.wait(lambda: pinned(server, "Echo") == "v1", "the pin in the new registry")
        act(server, "POST", "models/Echo/rollback").error(409, "pinned")
        assert (live(server, "Echo"), live(server, "Back")) == ("v1", "v1")
        assert act(server, "POST", "models/Back/versions/v2/accept").status == 200
        assert act(server, "DELETE", "models/Echo/pin").status == 200
        assert (live(server, "Echo"), live(server, "Back")) == ("v2", "v2")
    with serving(data, repo.path) as server:
        server.sync()
        assert (live(server, "Echo"), live(server, "Back")) == ("v2", "v2"), "what was lifted stays so"
