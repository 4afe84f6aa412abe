"""A push becomes a served model; a broken one changes nothing for callers."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.repos import Repo
from tests.serving import echo, serving, wait_for


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "models")
    repo.write("Echo/etls.py", echo("one")).write("Other/etls.py", echo("other")).commit()
    return repo


def test_a_folder_pushed_answers_under_its_name(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        answer = server.post("/Echo", {"variables": {"say": "hello"}})
        assert (answer.status, answer.json) == (200, {"said": "hello", "by": "one"})
        assert answer.headers["x-pawl-model"] == "Echo"
        assert answer.headers["x-pawl-version"] == "v1"
        assert answer.headers["x-pawl-commit"] == repo.head


def test_a_new_commit_goes_live_and_only_the_changed_model_is_touched(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        before = set(server.workers())
        repo.write("Echo/etls.py", echo("two")).commit()
        server.sync()
        server.wait_live("Echo", "v2")
        assert server.score("Echo")["by"] == "two"
        answer = server.post("/Other")
        assert (answer.headers["x-pawl-version"], answer.json["by"]) == ("v1", "other")
        wait_for(lambda: len(server.workers()) == 2, "the old worker's end")
        assert len(set(server.workers()) & before) == 1


def test_a_commit_that_changes_no_model_restarts_nothing(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        before = server.workers()
        repo.write("README.md", "words").commit()
        server.sync()
        assert server.workers() == before
        assert server.post("/Echo").headers["x-pawl-version"] == "v1"


def test_a_revert_is_a_new_version_of_the_old_release(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        first = server.state("Echo")["live"]["release"]
        repo.write("Echo/etls.py", echo("two")).commit()
        server.sync()
        server.wait_live("Echo", "v2")
        repo.revert()
        server.sync()
        server.wait_live("Echo", "v3")
        assert server.state("Echo")["live"]["release"] == first
        assert server.score("Echo")["by"] == "one"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"Echo/etls.py": "def f(:\n"}, "etls.py, line 1"),
        ({"Echo/etls.py": "import nothing_of_that_name\n"}, "nothing_of_that_name"),
        ({"Echo/etls.py": "x = 1\n"}, "no class"),
        (
            {"Echo/etls.py": echo("a") + echo("b").replace("Echo", "Another")},
            "Another",
        ),
        (
            {"Echo/etls.py": "class A:\n    def __init__(self): 1 / 0\n    def transform_predict(self): ...\n"},
            "division",
        ),
        ({"Echo/etls.py": "class A:\n    async def transform_predict(self): ...\n"}, "not supported yet"),
        (
            {"Echo/etls.py": "class A:\n    def __init__(self, model): ...\n    def transform_predict(self): ...\n"},
            "model",
        ),
        ({"Echo/etls.py": "class A:\n    def transform_predict(self, a, b): ...\n"}, "argument"),
        ({"Echo/model.yaml": "srve: {}\n"}, "srve"),
        ({"Echo/model.yaml": "uses: [nowhere]\n"}, "nowhere"),
        ({"Echo/model.onnx": b"garbage", "Echo/etls.py": None}, "model.onnx"),
        ({"Echo/examples.json": '[{"expect": {"said": null, "by": "another"}}]'}, "by"),
        ({"Echo/examples.json": "["}, "examples.json"),
        (
            {
                "Echo/etls.py": "class A:\n    def transform_predict(self):\n        return [1]\n",
                "Echo/examples.json": "[{}]",
            },
            "list",
        ),
        ({"Echo/etls.py": "import os\nos._exit(3)\n"}, "code 3"),
    ],
)
def test_a_broken_push_fails_in_words_its_author_can_act_on_and_the_old_release_keeps_answering(
    tmp_path: Path, repo: Repo, files: dict[str, str | bytes | None], said: str
) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        for name, content in files.items():
            if content is None:
                repo.remove(name)
            else:
                repo.write(name, content)
        repo.commit("broken")
        server.sync()
        failure = server.wait_failed("Echo", "v2")
        assert said in failure["message"]
        assert server.score("Echo")["by"] == "one"
        assert server.post("/Echo").headers["x-pawl-version"] == "v1"

        repo.write("Echo/etls.py", echo("mended"))
        for name in set(files) - {"Echo/etls.py"}:
            repo.remove(name)
        repo.commit("mended")
        server.sync()
        server.wait_live("Echo", "v3")
        assert server.score("Echo")["by"] == "mended"


def test_the_traceback_of_each_example_that_fails_reaches_the_log_and_the_api_and_no_caller(
    tmp_path: Path, repo: Repo
) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        repo.write("Echo/examples.json", "[{}]")
        for number in range(2, 6):
            raises = f"raise LookupError('number {number}')"
            repo.write("Echo/etls.py", f"class A:\n    def transform_predict(self):\n        {raises}\n").commit(
                "broken"
            )
            server.sync()
            failure = server.wait_failed("Echo", f"v{number}")
            traceback = f"in transform_predict\n    {raises}\nLookupError: number {number}\n"
            assert failure["detail"].endswith(traceback)
            events = server.admin("GET", "/-/api/events").json["items"]
            assert traceback in next(each["detail"] for each in events if each["kind"] == "failed")
            server.wait(lambda raises=raises: any(line.strip() == raises for line in server.lines), "the traceback")
            assert server.score("Echo")["by"] == "one"


def test_a_symlink_out_of_the_folder_and_a_submodule_are_refused(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        repo.link("Echo/passwd", "/etc/passwd").commit()
        server.sync()
        assert "Echo/passwd" in server.wait_failed("Echo", "v2")["message"]
        repo.remove("Echo/passwd")
        repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.head},Echo/sub")
        repo.git("commit", "-qm", "submodule")
        server.sync()
        assert "submodule" in server.wait_failed("Echo", "v3")["message"]
        assert server.score("Echo")["by"] == "one"


def test_no_request_is_lost_or_answered_by_an_older_release_while_good_and_broken_pushes_come(
    tmp_path: Path, repo: Repo
) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        stop = threading.Event()
        announced = 1
        wrong: list[str] = []
        answered = [0, 0, 0, 0]

        def ask(number: int) -> None:
            while not stop.is_set():
                least = announced
                answer = server.post("/Echo", {"variables": {"say": number}})
                version = int(answer.headers.get("x-pawl-version", "v0")[1:])
                if answer.status != 200 or version < least or answer.json["said"] != number:
                    wrong.append(f"{answer.status} {version} < {least}: {answer.body!r}")
                answered[number] += 1

        askers = [threading.Thread(target=ask, args=(number,)) for number in range(len(answered))]
        for asker in askers:
            asker.start()
        for number in range(2, 12):
            broken = number % 3 == 0
            repo.write("Echo/etls.py", "1 / 0\n" if broken else echo(str(number))).commit()
            server.sync()
            if broken:
                server.wait_failed("Echo", f"v{number}")
            else:
                server.wait_live("Echo", f"v{number}")
                announced = number
        stop.set()
        for asker in askers:
            asker.join()
        assert not wrong, wrong[:5]
        assert all(answered)


def test_a_deleted_folder_is_gone_and_a_renamed_one_answers_under_its_new_name(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        repo.git("mv", "Echo", "Renamed")
        repo.commit()
        server.sync()
        server.wait(lambda: server.post("/Renamed").status == 200, "the new name")
        server.wait(lambda: server.post("/Echo").status == 404, "the end of the old name")
        assert server.post("/Echo").code == "model_not_found"


def test_a_repository_emptied_by_a_push_changes_nothing_and_says_so(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        repo.remove("Echo").remove("Other").commit()
        server.sync()
        assert server.events("source_lost")
        assert server.score("Echo")["by"] == "one"


def test_a_branch_that_vanishes_and_comes_back_interrupts_nothing(tmp_path: Path, repo: Repo) -> None:
    remote = repo.bare(tmp_path / "remote.git")
    with serving(tmp_path / "data", remote, gitBranch="main") as server:
        repo.push(remote, branch="aside")
        repo.git("--git-dir", str(remote), "update-ref", "-d", "refs/heads/main")
        server.sync()
        assert "main" in server.events("source_lost")[0]["message"]
        assert server.score("Echo")["by"] == "one"
        repo.write("Echo/etls.py", echo("two")).commit()
        repo.push(remote)
        server.sync()
        server.wait_live("Echo", "v2")
        assert server.events("source_back")


def test_a_force_push_is_followed(tmp_path: Path, repo: Repo) -> None:
    first = repo.head
    repo.write("Echo/etls.py", echo("two")).commit()
    with serving(tmp_path / "data", repo.path) as server:
        assert server.score("Echo")["by"] == "two"
        lost = repo.head
        repo.reset(first)
        repo.write("Echo/etls.py", echo("rewritten")).commit()
        server.sync()
        server.wait(lambda: server.score("Echo")["by"] == "rewritten", "the rewritten history")
        assert [lost in event["message"] for event in server.events("history_rewritten")] == [True]


def test_folders_with_odd_names_are_left_out_with_the_reason(tmp_path: Path, repo: Repo) -> None:
    repo.write("all/etls.py", echo("x")).write("bad name/etls.py", echo("x")).write(
        "docs/notes.txt", "no model"
    ).commit()
    with serving(tmp_path / "data", repo.path) as server:
        left_out = server.admin("GET", "/-/api/models").json["left_out"]
        assert set(left_out) == {"all", "bad name"}
        assert server.post("/bad%20name").status == 404


def test_models_in_a_sub_folder_and_on_a_branch_are_found(tmp_path: Path, repo: Repo) -> None:
    repo.branch("live").write("deep/models/Inner/etls.py", echo("inner")).commit()
    repo.switch("main")
    with serving(tmp_path / "data", repo.path, gitBranch="live", gitFolder="deep/models") as server:
        assert server.score("Inner")["by"] == "inner"
        assert server.post("/Echo").status == 404
