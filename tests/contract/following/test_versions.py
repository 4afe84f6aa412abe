"""Versions: what they are called, and asking for one by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.own_models import own_model
from tests.repos import Repo
from tests.serving import Answer, Server, echo, serving

MOST_POOLS = 4


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


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("growing") / "models")
    repo.write("Other/etls.py", echo("other")).commit()
    return repo


@pytest.fixture(scope="module")
def growing(repo: Repo) -> Iterator[Server]:
    """A server of a repository that tests push to; it soon stops the versions that a test asked for."""
    with serving(repo.path.parent / "data", repo.path, VERSION_IDLE_S="1") as server:
        yield server


@pytest.fixture
def push(growing: Server, repo: Repo) -> Iterator[Push]:
    """Pushes to a model of the test's own, which has two versions so far."""
    with own_model(growing, repo, "one", "two") as model:
        yield Push(growing, repo, model)


@dataclass
class Push:
    """Versions of one model."""

    server: Server
    repo: Repo
    model: str

    def commit(self, edition: str) -> str:
        return self.repo.commit_file(f"{self.model}/etls.py", echo(edition))

    def sync(self, version: str) -> None:
        """What was committed is live as that version."""
        self.server.sync()
        self.server.wait_live(self.model, version)

    def post(self, version: str) -> Answer:
        return self.server.post(f"/{self.model}/{version}")

    def by(self, version: str) -> str:
        answer = self.post(version)
        assert answer.status == 200, answer
        return str(answer.json["by"])


def test_a_version_stays_what_it_is_while_pushes_come(push: Push) -> None:
    assert push.by("v1") == "one"
    push.commit("three")
    push.sync("v3")
    assert [push.by(f"v{number}") for number in (1, 2, 3)] == ["one", "two", "three"]
    push.repo.revert()
    push.sync("v4")
    answer = push.post("v1")
    assert (answer.json["by"], answer.headers["x-pawl-version"]) == ("one", "v1")
    assert push.by("v3") == "three"


def test_a_number_that_two_side_branches_share_is_ambiguous_and_lists_them(push: Push) -> None:
    """It is open when a merge makes it so."""
    repo, model = push.repo, push.model
    repo.write(f"{model}/a.txt").write(f"{model}/b.txt").commit()
    repo.branch(f"side-of-{model}")
    on_side = repo.commit_file(f"{model}/a.txt", "side")
    repo.switch("main")
    on_main = repo.commit_file(f"{model}/b.txt", "main")
    push.sync("v4")
    assert push.post("v4").headers["x-pawl-commit"] == on_main
    merge = repo.merge(f"side-of-{model}")
    push.sync("v6")
    assert repo.count(model) == 6
    error = push.post("v4").error(404, "version_ambiguous")
    assert set(error["commits"]) == {on_side, on_main}
    for commit in (on_side, on_main):
        answer = push.post(commit[:8])
        assert (answer.status, answer.headers["x-pawl-version"]) == (200, "v4")
        assert answer.headers["x-pawl-commit"] == commit
    assert push.post("v6").headers["x-pawl-commit"] == merge


def test_a_commit_that_no_branch_followed_reaches_is_not_found(push: Push) -> None:
    push.repo.branch(f"aside-{push.model}")
    aside = push.commit("aside")
    push.repo.switch("main")
    push.post(aside).error(404, "version_not_found")


def test_a_commit_before_the_model_was_there_is_not_found(push: Push) -> None:
    before = push.repo.git("rev-list", "--reverse", "HEAD").split()[0]
    assert push.model in push.post(before).error(404, "version_not_found")["message"]
    assert push.server.post(f"/Other/{before}").status == 200


def test_a_version_that_can_not_be_loaded_says_so_and_can_be_asked_for_again(push: Push) -> None:
    push.repo.commit_file(f"{push.model}/etls.py", "1 / 0\n")
    push.commit("four")
    push.sync("v4")
    for _ in range(2):
        answer = push.post("v3")
        assert "ZeroDivisionError" in answer.error(503, "not_live")["message"]
        assert "retry-after" in answer.headers
    assert push.by("v1") == "one"


def test_the_versions_of_a_model_that_has_gone_are_gone(push: Push) -> None:
    assert push.by("v1") == "one"
    push.repo.remove(push.model).commit()
    push.server.sync()
    push.server.wait(lambda: push.server.post(f"/{push.model}").status == 404, "the model's end")
    for version in ("v1", "v2"):
        push.post(version).error(404, "model_not_found")


def test_a_model_that_is_not_live_still_answers_for_its_old_versions(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.commit_file("Echo/etls.py", echo("one"))
    repo.commit_file("Echo/etls.py", "1 / 0\n")
    with serving(tmp_path / "data", repo.path) as server:
        server.post("/Echo").error(503, "not_live")
        assert server.post("/Echo/v1").json["by"] == "one"


def test_a_version_named_by_a_commit_that_did_not_touch_the_model_still_answers_after_the_next_push(
    push: Push,
) -> None:
    words = push.repo.commit_file("README.md", f"words on {push.model}")
    push.server.sync()
    assert push.by(words) == "two"
    push.commit("three")
    push.sync("v3")
    answer = push.post(words)
    assert (answer.json["by"], answer.headers["x-pawl-version"]) == ("two", "v2")


def test_after_a_forced_push_names_mean_what_the_new_history_says_and_one_event_tells_of_it(push: Push) -> None:
    repo, server = push.repo, push.server
    base = repo.head
    lost = push.commit("lost")
    push.commit("lost, too")
    push.sync("v4")
    for name in ("v3", lost[:7]):
        assert push.by(name) == "lost"
    repo.reset(base)
    instead = push.commit("instead")
    push.commit("newest")
    server.sync()
    server.wait(lambda: server.score(push.model)["by"] == "newest", "the rewritten history")
    answer = push.post("v3")
    assert (answer.json["by"], answer.headers["x-pawl-commit"]) == ("instead", instead)
    push.post(lost[:7]).error(404, "version_not_found")
    push.commit("an ordinary push")
    push.sync("v5")
    assert len(server.events("history_rewritten")) == 1


def test_a_branch_or_a_tag_of_that_name_is_no_version(push: Push) -> None:
    first, second = push.repo.git("rev-list", "--reverse", "HEAD", "--", push.model).split()
    for kind, name in (("branch", "deadbee"), ("tag", "v9"), ("tag", "abcdef0"), ("branch", second[:7])):
        push.repo.git(kind, name, first)
    for name in ("deadbee", "v9", "abcdef0", "0" * 40, "f" * 40):
        push.post(name).error(404, "version_not_found")
    answer = push.post(second[:7])
    assert (answer.json["by"], answer.headers["x-pawl-commit"]) == ("two", second)
