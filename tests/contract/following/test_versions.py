"""Versions: what they are called, and asking for one by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repos import Repo
from tests.serving import Server, echo, serving

MOST_POOLS = 4


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "models")


@pytest.fixture(scope="module")
def editions(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Six versions of Echo; between the second and the third, a commit that changes no model."""
    repo = Repo(tmp_path_factory.mktemp("versions") / "models")
    for number in range(1, 7):
        repo.commit_file("Echo/etls.py", echo(f"edition {number}"))
        if number == 2:
            repo.commit_file("README.md", "words")
    return repo


@pytest.fixture(scope="module")
def commits(editions: Repo) -> list[str]:
    """Those that made the versions, oldest first."""
    return editions.git("rev-list", "--reverse", "HEAD", "--", "Echo").split()


@pytest.fixture(scope="module")
def server(editions: Repo) -> Iterator[Server]:
    with serving(editions.path.parent / "data", editions.path) as server:
        yield server


def test_an_old_version_answers_by_number_and_by_commit(server: Server, editions: Repo, commits: list[str]) -> None:
    words = editions.git("rev-parse", f"{commits[2]}^")
    for name, edition, commit in (
        ("v2", 2, commits[1]),
        (commits[1], 2, commits[1]),
        (commits[1][:7], 2, commits[1]),
        (words, 2, commits[1]),
        ("v1", 1, commits[0]),
    ):
        answer = server.post(f"/Echo/{name}", {"variables": {"say": name}})
        assert (answer.status, answer.json) == (200, {"said": name, "by": f"edition {edition}"}), name
        assert answer.headers["x-pawl-model"] == "Echo"
        assert answer.headers["x-pawl-version"] == f"v{edition}"
        assert answer.headers["x-pawl-commit"] == commit
    assert server.get("/Echo/v2").headers["cache-control"] == "no-store"
    assert server.score("Echo")["by"] == "edition 6"
    assert len(server.workers()) == 3, "one of each release, whatever it was called"


def test_the_live_version_by_name_takes_no_process_more(server: Server, commits: list[str]) -> None:
    before = server.workers()
    for name in ("v6", commits[5], commits[5][:7], commits[5][:20]):
        answer = server.post(f"/Echo/{name}")
        assert (answer.json["by"], answer.headers["x-pawl-version"]) == ("edition 6", "v6")
    assert server.workers() == before


def test_an_unknown_version_is_not_found(server: Server, commits: list[str]) -> None:
    names = [
        "v7",
        "v0",
        "v01",
        "V1",
        "v",
        "v1.0",
        "1",
        "v99999999999999999999",
        "deadbee",
        "abc",
        "main",
        "HEAD",
        "%2e%2e",
        "%00",
    ]
    for name in (*names, commits[0].upper(), commits[0] + "0", commits[0][:7] + "~1"):
        message = server.post(f"/Echo/{name}").error(404, "version_not_found")["message"]
        assert message.startswith(("Echo has no version", "no commit"))
    assert "v6" in server.post("/Echo/v7").json["error"]["message"], "what there is instead"


def test_six_digits_of_a_commit_are_too_few(server: Server, commits: list[str]) -> None:
    assert "7" in server.post(f"/Echo/{commits[0][:6]}").error(404, "version_not_found")["message"]


def test_at_most_four_old_versions_run_and_one_unused_makes_room(tmp_path: Path, editions: Repo) -> None:
    with serving(tmp_path / "data", editions.path, VERSION_IDLE_S="20") as server:
        for number in range(1, 5):
            assert server.post(f"/Echo/v{number}").json["by"] == f"edition {number}"
        refused = server.post("/Echo/v5")
        refused.error(503, "too_many_versions")
        assert int(refused.headers["retry-after"]) > 0
        assert len(server.workers()) == 1 + MOST_POOLS
        assert server.score("Echo")["by"] == "edition 6"
        server.wait(lambda: len(server.workers()) == 1, "the end of the old versions")
        assert server.post("/Echo/v5").json["by"] == "edition 5"
        assert server.post("/Echo/v1").json["by"] == "edition 1"


def test_a_version_stays_what_it_is_while_pushes_come(tmp_path: Path, repo: Repo) -> None:
    repo.commit_file("Echo/etls.py", echo("one"))
    with serving(tmp_path / "data", repo.path) as server:
        assert server.post("/Echo/v1").json["by"] == "one"
        repo.commit_file("Echo/etls.py", echo("two"))
        server.sync()
        server.wait_live("Echo", "v2")
        assert server.post("/Echo/v1").json["by"] == "one"
        assert server.post("/Echo/v2").json["by"] == "two"
        repo.revert()
        server.sync()
        server.wait_live("Echo", "v3")
        answer = server.post("/Echo/v1")
        assert (answer.json["by"], answer.headers["x-pawl-version"]) == ("one", "v1")
        assert server.post("/Echo/v2").json["by"] == "two"


def test_a_number_that_two_side_branches_share_is_ambiguous_and_lists_them(tmp_path: Path, repo: Repo) -> None:
    repo.write("Echo/etls.py", echo("base")).write("Echo/a.txt").write("Echo/b.txt").commit()
    repo.branch("side")
    on_side = repo.commit_file("Echo/a.txt", "side")
    repo.switch("main")
    on_main = repo.commit_file("Echo/b.txt", "main")
    merge = repo.merge("side")
    with serving(tmp_path / "data", repo.path) as server:
        assert server.post("/Echo").headers["x-pawl-version"] == "v4"
        assert repo.count("Echo") == 4
        error = server.post("/Echo/v2").error(404, "version_ambiguous")
        assert set(error["commits"]) == {on_side, on_main}
        for commit in (on_side, on_main):
            answer = server.post(f"/Echo/{commit[:8]}")
            assert (answer.status, answer.headers["x-pawl-version"]) == (200, "v2")
            assert answer.headers["x-pawl-commit"] == commit
        assert server.post("/Echo/v4").headers["x-pawl-commit"] == merge


def test_a_commit_that_no_branch_followed_reaches_is_not_found(tmp_path: Path, repo: Repo) -> None:
    repo.commit_file("Echo/etls.py", echo("one"))
    aside = repo.branch("aside").commit_file("Echo/etls.py", echo("aside"))
    repo.switch("main")
    with serving(tmp_path / "data", repo.path) as server:
        server.post(f"/Echo/{aside}").error(404, "version_not_found")


def test_a_commit_before_the_model_was_there_is_not_found(tmp_path: Path, repo: Repo) -> None:
    before = repo.commit_file("Other/etls.py", echo("other"))
    repo.commit_file("Echo/etls.py", echo("one"))
    with serving(tmp_path / "data", repo.path) as server:
        assert "Echo" in server.post(f"/Echo/{before}").error(404, "version_not_found")["message"]
        assert server.post(f"/Other/{before}").status == 200


def test_a_version_that_can_not_be_loaded_says_so_and_can_be_asked_for_again(tmp_path: Path, repo: Repo) -> None:
    repo.commit_file("Echo/etls.py", echo("one"))
    repo.commit_file("Echo/etls.py", "1 / 0\n")
    repo.commit_file("Echo/etls.py", echo("three"))
    with serving(tmp_path / "data", repo.path) as server:
        for _ in range(2):
            answer = server.post("/Echo/v2")
            assert "ZeroDivisionError" in answer.error(503, "not_live")["message"]
            assert "retry-after" in answer.headers
        assert server.post("/Echo/v1").json["by"] == "one"


def test_the_versions_of_a_model_that_has_gone_are_gone(tmp_path: Path, repo: Repo) -> None:
    repo.write("Echo/etls.py", echo("one")).write("Other/etls.py", echo("other")).commit()
    repo.commit_file("Echo/etls.py", echo("two"))
    with serving(tmp_path / "data", repo.path) as server:
        assert server.post("/Echo/v1").status == 200
        repo.remove("Echo").commit()
        server.sync()
        server.wait(lambda: server.post("/Echo").status == 404, "the model's end")
        server.post("/Echo/v1").error(404, "model_not_found")
        server.post("/Echo/v2").error(404, "model_not_found")


def test_a_model_that_is_not_live_still_answers_for_its_old_versions(tmp_path: Path, repo: Repo) -> None:
    repo.commit_file("Echo/etls.py", echo("one"))
    repo.commit_file("Echo/etls.py", "1 / 0\n")
    with serving(tmp_path / "data", repo.path) as server:
        server.post("/Echo").error(503, "not_live")
        assert server.post("/Echo/v1").json["by"] == "one"


def test_a_version_named_by_a_commit_that_did_not_touch_the_model_still_answers_after_the_next_push(
    tmp_path: Path, repo: Repo
) -> None:
    repo.commit_file("Echo/etls.py", echo("one"))
    words = repo.commit_file("README.md", "words")
    with serving(tmp_path / "data", repo.path) as server:
        assert server.post(f"/Echo/{words}").json["by"] == "one"
        repo.commit_file("Echo/etls.py", echo("two"))
        server.sync()
        server.wait_live("Echo", "v2")
        answer = server.post(f"/Echo/{words}")
        assert (answer.json["by"], answer.headers["x-pawl-version"]) == ("one", "v1")


def test_after_a_forced_push_names_mean_what_the_new_history_says_and_one_event_tells_of_it(
    tmp_path: Path, repo: Repo
) -> None:
    base = repo.commit_file("Echo/etls.py", echo("one"))
    lost = repo.commit_file("Echo/etls.py", echo("lost"))
    repo.commit_file("Echo/etls.py", echo("lost, too"))
    remote = repo.bare(tmp_path / "remote.git")
    with serving(tmp_path / "data", remote) as server:
        for name in ("v2", lost[:7]):
            assert server.post(f"/Echo/{name}").json["by"] == "lost"
        repo.reset(base)
        instead = repo.commit_file("Echo/etls.py", echo("instead"))
        repo.commit_file("Echo/etls.py", echo("newest"))
        repo.push(remote, force=True)
        server.sync()
        server.wait(lambda: server.score("Echo")["by"] == "newest", "the rewritten history")
        answer = server.post("/Echo/v2")
        assert (answer.json["by"], answer.headers["x-pawl-commit"]) == ("instead", instead)
        server.post(f"/Echo/{lost[:7]}").error(404, "version_not_found")
        repo.commit_file("Echo/etls.py", echo("an ordinary push"))
        repo.push(remote)
        server.sync()
        server.wait_live("Echo", "v4")
        events = [event for event in server.events() if event["kind"] == "history_rewritten"]
        assert len(events) == 1


def test_a_number_that_a_merge_makes_ambiguous_says_so_though_it_was_open(tmp_path: Path, repo: Repo) -> None:
    repo.write("Echo/etls.py", echo("base")).write("Echo/a.txt").write("Echo/b.txt").commit()
    repo.branch("side")
    on_side = repo.commit_file("Echo/a.txt", "side")
    repo.switch("main")
    on_main = repo.commit_file("Echo/b.txt", "main")
    with serving(tmp_path / "data", repo.path) as server:
        assert server.post("/Echo/v2").headers["x-pawl-commit"] == on_main
        repo.merge("side")
        server.sync()
        server.wait_live("Echo", "v4")
        assert set(server.post("/Echo/v2").error(404, "version_ambiguous")["commits"]) == {on_side, on_main}


def test_a_branch_or_a_tag_of_that_name_is_no_version(tmp_path: Path, repo: Repo) -> None:
    first = repo.commit_file("Echo/etls.py", echo("one"))
    second = repo.commit_file("Echo/etls.py", echo("two"))
    for kind, name in (("branch", "deadbee"), ("tag", "v9"), ("tag", "abcdef0"), ("branch", second[:7])):
        repo.git(kind, name, first)
    remote = repo.bare(tmp_path / "remote.git")
    with serving(tmp_path / "data", remote) as server:
        for name in ("deadbee", "v9", "abcdef0", "0" * 40, "f" * 40):
            server.post(f"/Echo/{name}").error(404, "version_not_found")
        answer = server.post(f"/Echo/{second[:7]}")
        assert (answer.json["by"], answer.headers["x-pawl-commit"]) == ("two", second)
