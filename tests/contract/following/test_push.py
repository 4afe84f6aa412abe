"""A push becomes a served model; a broken one changes nothing for callers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.own_models import own_model
from tests.repos import Repo
from tests.serving import Server, echo, serving


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("push") / "models")
    repo.write("Other/etls.py", echo("other")).commit()
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "data", repo.path) as server:
        yield server


@pytest.fixture
def model(server: Server, repo: Repo) -> Iterator[str]:
    """One of the test's own, with one version so far."""
    with own_model(server, repo, "one") as model:
        yield model


def push(server: Server, repo: Repo, model: str, edition: str) -> None:
    repo.commit_file(f"{model}/etls.py", echo(edition))
    server.sync()


def test_a_folder_pushed_answers_under_its_name(server: Server, repo: Repo, model: str) -> None:
    answer = server.post(f"/{model}", {"variables": {"say": "hello"}})
    assert (answer.status, answer.json) == (200, {"said": "hello", "by": "one"})
    assert answer.headers["x-pawl-model"] == model
    assert answer.headers["x-pawl-version"] == "v1"
    assert answer.headers["x-pawl-commit"] == repo.head


def test_a_new_commit_goes_live_and_only_the_changed_model_is_touched(server: Server, repo: Repo, model: str) -> None:
    before = set(server.workers())
    push(server, repo, model, "two")
    server.wait_live(model, "v2")
    assert server.score(model)["by"] == "two"
    answer = server.post("/Other")
    assert (answer.headers["x-pawl-version"], answer.json["by"]) == ("v1", "other")
    server.wait(lambda: len(server.workers()) == len(before), "the old worker's end")
    assert len(before - set(server.workers())) == 1


def test_a_commit_that_changes_no_model_restarts_nothing(server: Server, repo: Repo, model: str) -> None:
    before = server.workers()
    repo.write("README.md", "words").commit()
    server.sync()
    assert server.workers() == before
    assert server.post(f"/{model}").headers["x-pawl-version"] == "v1"


def test_a_revert_is_a_new_version_of_the_old_release(server: Server, repo: Repo, model: str) -> None:
    first = server.state(model)["live"]["release"]
    push(server, repo, model, "two")
    server.wait_live(model, "v2")
    repo.revert()
    server.sync()
    server.wait_live(model, "v3")
    assert server.state(model)["live"]["release"] == first
    assert server.score(model)["by"] == "one"


@pytest.fixture(scope="module")
def mended(server: Server, repo: Repo) -> str:
    """A model that each test breaks and mends."""
    push(server, repo, "Mended", "mended")
    return "Mended"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"etls.py": "def f(:\n"}, "etls.py, line 1"),
        ({"etls.py": "import nothing_of_that_name\n"}, "nothing_of_that_name"),
        ({"etls.py": "x = 1\n"}, "no class"),
        ({"etls.py": echo("a") + echo("b").replace("Echo", "Another")}, "Another"),
        ({"etls.py": "class A:\n    def __init__(self): 1 / 0\n    def transform_predict(self): ...\n"}, "division"),
        ({"etls.py": "class A:\n    async def transform_predict(self): ...\n"}, "not supported yet"),
        ({"etls.py": "class A:\n    def __init__(self, model): ...\n    def transform_predict(self): ...\n"}, "model"),
        ({"etls.py": "class A:\n    def transform_predict(self, a, b): ...\n"}, "argument"),
        ({"model.yaml": "srve: {}\n"}, "srve"),
        ({"model.yaml": "uses: [nowhere]\n"}, "nowhere"),
        ({"model.onnx": b"garbage", "etls.py": None}, "model.onnx"),
        ({"examples.json": '[{"expect": {"said": null, "by": "another"}}]'}, "by"),
        ({"examples.json": "["}, "examples.json"),
        (
            {
                "etls.py": "class A:\n    def transform_predict(self):\n        return [1]\n",
                "examples.json": "[{}]",
            },
            "list",
        ),
        ({"etls.py": "import os\nos._exit(3)\n"}, "code 3"),
    ],
)
def test_a_broken_push_fails_in_words_its_author_can_act_on_and_the_old_release_keeps_answering(
    server: Server, repo: Repo, mended: str, files: dict[str, str | bytes | None], said: str
) -> None:
    number = repo.count(mended)
    for name, content in files.items():
        if content is None:
            repo.remove(f"{mended}/{name}")
        else:
            repo.write(f"{mended}/{name}", content)
    repo.commit("broken")
    server.sync()
    failure = server.wait_failed(mended, f"v{number + 1}")
    assert said in failure["message"]
    answer = server.post(f"/{mended}")
    assert (answer.json["by"], answer.headers["x-pawl-version"]) == ("mended", f"v{number}")

    for name in set(files) - {"etls.py"}:
        repo.remove(f"{mended}/{name}")
    push(server, repo, mended, "mended")
    server.wait_live(mended, f"v{number + 2}")
    assert server.score(mended)["by"] == "mended"


def test_the_traceback_of_each_example_that_fails_reaches_the_log_and_the_api_and_no_caller(
    server: Server, repo: Repo, model: str
) -> None:
    repo.write(f"{model}/examples.json", "[{}]")
    for number in range(2, 6):
        raises = f"raise LookupError('number {number}')"
        code = f"class A:\n    def transform_predict(self):\n        {raises}\n"
        repo.write(f"{model}/etls.py", code).commit("broken")
        server.sync()
        failure = server.wait_failed(model, f"v{number}")
        traceback = f"in transform_predict\n    {raises}\nLookupError: number {number}\n"
        assert failure["detail"].endswith(traceback)
        assert traceback in server.events("failed")[0]["detail"]
        server.wait(lambda raises=raises: any(line.strip() == raises for line in server.lines), "the traceback")
        assert server.score(model)["by"] == "one"


def test_a_symlink_out_of_the_folder_and_a_submodule_are_refused(server: Server, repo: Repo, model: str) -> None:
    repo.link(f"{model}/passwd", "/etc/passwd").commit()
    server.sync()
    assert f"{model}/passwd" in server.wait_failed(model, "v2")["message"]
    repo.remove(f"{model}/passwd")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.head},{model}/sub")
    repo.git("commit", "-qm", "submodule")
    server.sync()
    assert "submodule" in server.wait_failed(model, "v3")["message"]
    assert server.score(model)["by"] == "one"
    repo.git("update-index", "--force-remove", f"{model}/sub")


def test_no_request_is_lost_or_answered_by_an_older_release_while_good_and_broken_pushes_come(
    server: Server, repo: Repo, model: str
) -> None:
    stop = threading.Event()
    announced = 1
    wrong: list[str] = []
    answered = [0, 0, 0, 0]

    def ask(number: int) -> None:
        while not stop.is_set():
            least = announced
            answer = server.post(f"/{model}", {"variables": {"say": number}})
            version = int(answer.headers.get("x-pawl-version", "v0")[1:])
            if answer.status != 200 or version < least or answer.json["said"] != number:
                wrong.append(f"{answer.status} {version} < {least}: {answer.body!r}")
            answered[number] += 1

    askers = [threading.Thread(target=ask, args=(number,)) for number in range(len(answered))]
    for asker in askers:
        asker.start()
    try:
        for number in range(2, 12):
            broken = number % 3 == 0
            repo.write(f"{model}/etls.py", "1 / 0\n" if broken else echo(str(number))).commit()
            server.sync()
            if broken:
                server.wait_failed(model, f"v{number}")
            else:
                server.wait_live(model, f"v{number}")
                announced = number
        server.wait(lambda: all(answered), "an answer to each")
    finally:
        stop.set()
        for asker in askers:
            asker.join()
    assert not wrong, wrong[:5]


def test_a_deleted_folder_is_gone_and_a_renamed_one_answers_under_its_new_name(
    server: Server, repo: Repo, model: str
) -> None:
    repo.git("mv", model, f"{model}Renamed")
    repo.commit()
    server.sync()
    server.wait(lambda: server.post(f"/{model}Renamed").status == 200, "the new name")
    server.wait(lambda: server.post(f"/{model}").status == 404, "the end of the old name")
    assert server.post(f"/{model}").code == "model_not_found"
    repo.remove(f"{model}Renamed")


def test_folders_with_odd_names_are_left_out_with_the_reason(server: Server, repo: Repo) -> None:
    for name in ("all", "bad name"):
        repo.write(f"{name}/etls.py", echo("x"))
    repo.write("docs/notes.txt", "no model").write("Loud/ETLS.py", echo("x")).commit()
    server.sync()
    left_out = server.admin("GET", "/-/api/models").json["left_out"]
    assert set(left_out) == {"all", "bad name", "Loud"}
    assert left_out["Loud"] == "ETLS.py is not read; rename it to etls.py"
    assert server.post("/bad%20name").status == 404


@dataclass
class Elsewhere:
    """A server of a sub-folder on a branch of a bare repository."""

    server: Server
    repo: Repo
    remote: Path

    def push(self, *, force: bool = False) -> None:
        self.repo.push(self.remote, branch="live", force=force)
        self.server.sync()


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    folder = tmp_path_factory.mktemp("elsewhere")
    repo = Repo(folder / "models")
    repo.write("Outer/etls.py", echo("outer")).commit()
    repo.branch("live").write("deep/models/Inner/etls.py", echo("one")).commit()
    remote = repo.bare(folder / "remote.git")
    with serving(folder / "data", remote, gitBranch="live", gitFolder="deep/models") as server:
        yield Elsewhere(server, repo, remote)


def test_models_in_a_sub_folder_and_on_a_branch_are_found(elsewhere: Elsewhere) -> None:
    assert elsewhere.server.score("Inner")["by"] == "one"
    assert elsewhere.server.post("/Outer").status == 404


def test_a_repository_emptied_by_a_push_changes_nothing_and_says_so(elsewhere: Elsewhere) -> None:
    server, repo = elsewhere.server, elsewhere.repo
    repo.remove("deep").commit()
    elsewhere.push()
    assert server.events("source_lost")
    assert server.score("Inner")["by"] == "one"
    repo.revert()
    elsewhere.push()
    assert server.events("source_back")
    assert server.score("Inner")["by"] == "one"


def test_a_branch_that_vanishes_and_comes_back_interrupts_nothing(elsewhere: Elsewhere) -> None:
    server, repo = elsewhere.server, elsewhere.repo
    back = len(server.events("source_back"))
    repo.git("--git-dir", str(elsewhere.remote), "update-ref", "-d", "refs/heads/live")
    server.sync()
    assert "live" in server.events("source_lost")[0]["message"]
    assert server.score("Inner")["by"] == "one"
    repo.commit_file("deep/models/Inner/etls.py", echo("back"))
    elsewhere.push()
    server.wait(lambda: server.score("Inner")["by"] == "back", "what was pushed")
    assert len(server.events("source_back")) == back + 1


def test_a_force_push_is_followed(elsewhere: Elsewhere) -> None:
    server, repo = elsewhere.server, elsewhere.repo
    first = repo.head
    repo.commit_file("deep/models/Inner/etls.py", echo("lost"))
    elsewhere.push()
    assert server.score("Inner")["by"] == "lost"
    lost = repo.head
    repo.reset(first)
    repo.commit_file("deep/models/Inner/etls.py", echo("rewritten"))
    elsewhere.push(force=True)
    server.wait(lambda: server.score("Inner")["by"] == "rewritten", "the rewritten history")
    assert [lost in event["message"] for event in server.events("history_rewritten")] == [True]
