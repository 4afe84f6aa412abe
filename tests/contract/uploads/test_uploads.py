"""A zip becomes a commit, or nothing changes."""

from __future__ import annotations

import http.client
import io
import os
import re
import select
import signal
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.admin_actions import act
from tests.githttp import git_server
from tests.own_models import own_model
from tests.repos import Repo
from tests.serving import TOKEN, Answer, Server, echo, serving


def zipped(files: Mapping[str, str]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def put(server: Server, model: str, body: bytes, query: str = "", **headers: str) -> Answer:
    sent = {"authorization": f"Bearer {TOKEN}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    url = f"{server.base}/-/api/models/{model}{query}"
    found = server.wait(lambda: unless_busy(server.request("PUT", url, content=body, headers=sent)), "an answer")
    assert found is not None
    return found


def unless_busy(answer: Answer) -> Answer | None:
    """None where the answer says that another try may help, as a busy machine has git say."""
    return None if answer.status == 503 and "retry-after" in answer.headers else answer


def delete(server: Server, model: str, **headers: str) -> Answer:
    sent = {"authorization": f"Bearer {TOKEN}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return server.request("DELETE", f"{server.base}/-/api/models/{model}", headers=sent)


def at(repo: Repo, path: str) -> str:
    """What the branch holds, whatever is in the working tree."""
    return repo.git("show", f"HEAD:{path}")


def told(server: Server, kind: str, model: str) -> list[Any]:
    """The newest event first."""
    return [event for event in server.events(kind) if event["model"] == model]


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return new_repo(tmp_path_factory.mktemp("uploads"))


def new_repo(folder: Path) -> Repo:
    repo = Repo(folder / "models")
    repo.git("config", "receive.denyCurrentBranch", "ignore")
    repo.write("Echo/etls.py", echo("one")).commit()
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "data", repo.path, MAX_BODY_MB="1", UPLOAD_MAX_MB="3") as server:
        yield server


@pytest.fixture
def model(server: Server, repo: Repo) -> Iterator[str]:
    """One of the test's own, to be changed; nobody changes Echo."""
    with own_model(server, repo, "one") as model:
        yield model
        repo.reset("HEAD")  # what was uploaded came into no working tree


def left(server: Server) -> list[Path]:
    """Of what is being taken in."""
    return list(server.settings.data.glob("uploads/*"))


def test_a_zip_is_proven_and_becomes_a_commit_with_its_author_that_goes_live(
    server: Server, repo: Repo, model: str
) -> None:
    repo.commit_file(f"{model}/old.txt", "old")
    server.sync()
    before = repo.head
    files = {f"{model}/etls.py": echo("two"), f"{model}/data/more.txt": "more"}
    answer = put(server, model, zipped(files), "?reason=better%20weights", If_Match=f'"{before}"')
    assert answer.status == 200, answer.body
    assert answer.json["commit"] == repo.head
    server.wait(lambda: server.score(model)["by"] == "two", "what was uploaded to be live")
    assert repo.git("rev-parse", "HEAD^") == before
    assert (at(repo, f"{model}/etls.py"), at(repo, f"{model}/data/more.txt")) == (echo("two").strip(), "more")
    assert repo.git("ls-tree", "-r", "--name-only", "HEAD").split() == [
        "Echo/etls.py",
        f"{model}/data/more.txt",
        f"{model}/etls.py",
    ]
    assert repo.git("log", "-1", "--format=%an") == "ADMIN_TOKEN"
    assert "better weights" in repo.git("log", "-1", "--format=%B")
    [event] = told(server, "uploaded", model)
    assert (event["commit"], event["actor"]["name"], event["reason"]) == (repo.head, "ADMIN_TOKEN", "better weights")
    again = put(server, model, zipped(files)).json
    assert (again["commit"], again["changed"]) == (repo.head, False)  # so nothing was committed, and nothing told
    assert len(told(server, "uploaded", model)) == 1


def test_a_new_model_comes_and_goes(server: Server, repo: Repo) -> None:
    assert put(server, "New", zipped({"etls.py": echo("new")})).status == 200
    server.wait(lambda: server.post("/New").status == 200, "the new model to be live")
    assert delete(server, "New").json["commit"] == repo.head
    server.wait(lambda: server.post("/New").status == 404, "the model to be gone")
    assert "New" not in repo.git("ls-tree", "--name-only", "HEAD")
    assert len(told(server, "deleted", "New")) == 1
    delete(server, "New").error(404, "model_not_found")


def test_a_deletion_tells_why_and_changes_nothing_where_another_version_is_live(
    server: Server, repo: Repo, model: str
) -> None:
    before = repo.head
    said = {"reason": "nobody asks it", "expect": "v9"}
    assert act(server, "DELETE", f"models/{model}", said).error(409, "live_changed")["live"] == "v1"
    put(server, model, zipped({"etls.py": echo("two")}), "?expect=v9").error(409, "live_changed")
    act(server, "DELETE", f"models/{model}", {"why": ""}).error(422, "invalid_parameter")
    assert repo.head == before
    assert act(server, "DELETE", f"models/{model}", {**said, "expect": "v1"}).status == 200
    assert repo.git("log", "-1", "--format=%B").splitlines() == [
        *(f"Delete {model}", "", "nobody asks it", "", "Deleted through Pawl by ADMIN_TOKEN."),
    ]
    assert [event["reason"] for event in told(server, "deleted", model)] == ["nobody asks it"]


def test_changes_in_a_row_stand_on_each_other(server: Server, repo: Repo) -> None:
    before = repo.head
    for name in ("One", "Two"):
        answer = put(server, name, zipped({"etls.py": echo(name)}), "?reason=odd%00as+it+is")
        assert (answer.status, answer.json["commit"]) == (200, repo.head), answer.body
        assert "odd as it is" in repo.git("log", "-1", "--format=%B")
    for name in ("One", "Two"):
        assert delete(server, name).status == 200
        delete(server, name).error(404, "model_not_found")
    assert repo.git("rev-list", "--count", f"{before}..HEAD") == "4"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"etls.py": "class Echo:\n    def transform_predict(self): raise OSError\n", "examples.json": "[{}]"}, ""),
        ({"etls.py": "def broken(:"}, "SyntaxError"),
        ({"etls.py": echo("x"), "model.yaml": "serve: {replicas: many}"}, "replicas"),
        ({"read.me": "no model"}, "no model"),
    ],
)
def test_what_can_not_be_served_changes_nothing(
    server: Server, repo: Repo, files: Mapping[str, str], says: str
) -> None:
    before = repo.head
    error = put(server, "Echo", zipped(files)).error(422, "release_failed")
    assert says in error["message"]
    assert (repo.head, server.score("Echo")["by"]) == (before, "one")
    assert told(server, "uploaded", "Echo") == []


def test_an_author_who_saw_another_head_is_refused(server: Server, repo: Repo, model: str) -> None:
    seen = repo.head
    repo.commit_file(f"{model}/etls.py", echo("pushed"))
    put(server, model, zipped({"etls.py": echo("two")})).error(409, "conflict")  # the server hasn't looked since
    server.sync()
    put(server, model, zipped({"etls.py": echo("two")}), If_Match=seen).error(409, "conflict")
    delete(server, model, If_Match=seen).error(409, "conflict")
    assert server.score(model)["by"] == "pushed"
    assert put(server, model, zipped({"etls.py": echo("two")}), If_Match=repo.head).status == 200


def test_a_repository_that_refuses_the_push_is_told_with_its_words(server: Server, repo: Repo) -> None:
    hook = repo.path / ".git" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho main is protected >&2\nexit 1\n")
    hook.chmod(0o755)
    before = repo.head
    error = put(server, "Echo", zipped({"etls.py": echo("two")})).error(409, "not_writable")
    hook.unlink()
    assert "let this login (usergit) push to the branch" in error["message"]
    assert error["message"].endswith("It says: main is protected")
    assert repo.head == before


def test_what_is_no_zip_of_a_folder_is_refused(server: Server, repo: Repo) -> None:
    before = repo.head
    for body in (b"", b"not a zip", zipped({}), zipped({"../etls.py": ""})):
        put(server, "Echo", body).error(422, "invalid_archive")
    put(server, "all", zipped({"etls.py": echo("x")})).error(422, "invalid_name")
    assert repo.head == before


def test_a_new_model_whose_name_differs_by_case_alone_is_refused(server: Server, repo: Repo) -> None:
    before = repo.head
    error = put(server, "ECHO", zipped({"etls.py": echo("two")})).error(422, "invalid_name")
    assert "its folder would be that of Echo" in error["message"]
    assert repo.head == before


def in_pieces(size: int) -> Iterator[bytes]:
    for _ in range(0, size, 100_000):
        yield b"x" * 100_000


def test_an_upload_is_bounded_by_itself_and_not_by_what_other_bodies_are(server: Server) -> None:
    sent = zipped({"etls.py": "def broken(:", "weights": "x" * 2_000_000})
    assert "SyntaxError" in put(server, "Echo", sent).error(422, "release_failed")["message"]
    fields = {"model": "Echo", "reason": "large", "head": ""}
    assert "SyntaxError" in submit(server, "/-/upload", fields, sent).body.decode()
    authorization, address = {"authorization": f"Bearer {TOKEN}"}, f"{server.base}/-/api/models/Echo"
    put(server, "Echo", zipped({"etls.py": echo("x"), "weights": "x" * 4_000_000})).error(413, "body_too_large")
    chunked = server.request("PUT", address, content=in_pieces(4_000_000), headers=authorization)
    chunked.error(413, "body_too_large")
    assert submit(server, "/-/upload", fields, b"x" * 4_000_000).status == 413
    assert left(server) == []


def half_a_form(server: Server) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    connection.putrequest("POST", f"{server.settings.base}/-/upload")
    connection.putheader("authorization", f"Bearer {TOKEN}")
    connection.putheader("content-type", "multipart/form-data; boundary=b")
    connection.putheader("content-length", "1000000")
    connection.endheaders(b"--b\r\nContent-Disposition: form-data; name=file; filename=a.zip\r\n\r\n" + b"x" * 500_000)
    return connection


def test_no_more_than_four_forms_come_in_at_one_time(server: Server) -> None:
    fields = {"model": "Echo", "reason": "", "head": ""}
    begun = [half_a_form(server) for _ in range(4)]

    def is_fifth_refused() -> bool:
        for number, connection in enumerate(begun):
            if select.select([connection.sock], [], [], 0)[0]:  # it was refused for a fifth that came before it
                connection.close()
                begun[number] = half_a_form(server)
        return submit(server, "/-/upload", fields, b"x").status == 503

    try:
        server.wait(is_fifth_refused, "a fifth to be refused")
    finally:
        for connection in begun:
            connection.close()
    server.wait(lambda: submit(server, "/-/upload", fields, b"x").status == 422, "room for others")


def test_an_upload_that_breaks_off_leaves_nothing(server: Server) -> None:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    connection.putrequest("PUT", f"{server.settings.base}/-/api/models/Echo")
    connection.putheader("authorization", f"Bearer {TOKEN}")
    connection.putheader("content-length", "2000000")
    connection.endheaders(b"x" * 1_000_000)
    server.wait(lambda: left(server) != [], "the upload to come in")
    connection.close()
    server.wait(lambda: left(server) == [], "what had come to be gone")
    assert "Traceback" not in server.log


def test_an_upload_that_takes_longer_than_is_waited_for_can_be_followed(server: Server, repo: Repo, model: str) -> None:
    slow = zipped({"etls.py": "import time\ntime.sleep(1)\n" + echo("slow")})
    begun = put(server, model, slow, "?wait=0.01&reason=heavy")
    assert (begun.status, begun.json["action"], begun.json["reason"]) == (202, "upload", "heavy")
    where = server.admin("GET", begun.headers["location"].removeprefix("/models_serve"))
    assert where.json["id"] == begun.json["id"]
    done = server.wait(lambda: over(server, begun), "the upload to be over")
    assert (done["state"], done["commit"]) == ("done", repo.head)
    bad = put(server, model, zipped({"etls.py": "x("}), "?wait=0.0")
    refused = server.wait(lambda: over(server, bad), "the upload to be over")
    assert (refused["state"], refused["code"], refused["stage"]) == ("failed", "release_failed", "load")


def over(server: Server, begun: Answer) -> Any:
    """The action, once it is over."""
    action = server.admin("GET", f"/-/api/actions/{begun.json['id']}").json
    return None if action["state"] == "running" else action


def test_a_folder_that_trains_is_checked_before_it_is_pushed(server: Server, repo: Repo) -> None:
    before = repo.head
    for code, says in (("def broken(:", "SyntaxError"), ("import os\n", "neither a function train")):
        error = put(server, "Trained", zipped({"etls.py": echo("x"), "train.py": code})).error(422, "release_failed")
        assert says in error["message"]
    assert repo.head == before


def test_nobody_without_a_credential_uploads(server: Server, repo: Repo) -> None:
    before = repo.head
    sent = zipped({"etls.py": echo("two")})
    assert server.request("PUT", f"{server.base}/-/api/models/Echo", content=sent).status == 401
    assert server.request("DELETE", f"{server.base}/-/api/models/Echo").status == 401
    assert repo.head == before


def test_a_login_that_may_push_is_used_over_http(tmp_path: Path) -> None:
    repo = new_repo(tmp_path)
    repo.git("config", "http.receivepack", "true")
    with git_server(tmp_path, user="ada", password="secret") as git:
        address = f"{git.origin}/models"
        with serving(tmp_path / "data", address, usergit="ada", gitpassword="secret", gitBranch="main") as server:
            assert put(server, "Echo", zipped({"etls.py": echo("two")})).json["commit"] == repo.head
            assert "secret" not in server.log


def test_a_daemon_that_is_killed_meanwhile_leaves_a_commit_or_none(tmp_path: Path) -> None:
    repo = new_repo(tmp_path)
    slow = "import time\ntime.sleep(600)\n" + echo("slow")
    before = repo.head
    with serving(tmp_path / "data", repo.path) as server:
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
        address, headers = f"{server.settings.base}/-/api/models/Echo", {"authorization": f"Bearer {TOKEN}"}
        connection.request("PUT", address, zipped({"etls.py": slow}), headers)
        server.wait(lambda: len(server.workers()) == 2, "the upload to be proven")
        os.kill(server.process.pid, signal.SIGKILL)
        connection.close()
    assert repo.head == before
    with serving(tmp_path / "data", repo.path) as server:
        assert server.score("Echo")["by"] == "one"
        assert list((tmp_path / "data").glob("uploads/*")) == []


def submit(server: Server, page: str, fields: Mapping[str, str], body: bytes | None = None) -> Answer:
    """A form of a page's, with a file in it or without one."""
    files = None if body is None else {"file": ("model.zip", body, "application/zip")}
    headers = {"authorization": f"Bearer {TOKEN}"}
    return server.request("POST", server.base + page, data=fields, files=files, headers=headers)


def test_the_forms_of_the_pages_do_the_same(server: Server, repo: Repo, model: str) -> None:
    seen = repo.head
    assert seen in server.admin("GET", f"/-/upload?model={model}").body.decode()
    sent = {"model": model, "reason": "by hand", "head": seen}
    assert submit(server, "/-/upload", sent | {"reason": ""}, zipped({"etls.py": echo("x")})).status == 422
    refused = submit(server, "/-/upload", sent, zipped({"etls.py": "def broken(:"}))
    assert (refused.status, "SyntaxError" in refused.body.decode(), repo.head) == (409, True, seen)
    assert submit(server, "/-/upload", sent, zipped({"etls.py": echo("two")})).status == 303
    server.wait(lambda: server.score(model)["by"] == "two", "what was uploaded to be live")
    assert "by hand" in repo.git("log", "-1", "--format=%B")

    assert submit(server, f"/-/models/{model}/delete", {"reason": "gone", "head": seen}).status == 409
    assert submit(server, f"/-/models/{model}/delete", {"reason": "", "head": repo.head}).status == 422
    assert submit(server, f"/-/models/{model}/delete", {"reason": "gone", "head": repo.head}).status == 303
    server.wait(lambda: server.post(f"/{model}").status == 404, "the model to be gone")
    assert submit(server, "/-/upload", sent).status == 400  # no form with a file in it


def test_in_a_local_folder_the_folder_is_written_and_a_manifest_edited_in_its_place(tmp_path: Path) -> None:
    models = tmp_path / "models_serve"
    (models / "Echo").mkdir(parents=True)
    (models / "Echo" / "etls.py").write_text(echo("one"))
    (models / "Echo" / "old.txt").write_text("old")
    (models / "Edited").mkdir()
    (models / "Edited" / "etls.py").write_text(echo("edited"))
    (models / "Edited" / "model.yaml").write_text(MANIFEST)
    with serving(tmp_path / "data", cwd=tmp_path) as server:
        assert edit(server, "Edited", **{"v.description": "Echoes loudly"}).status == 303
        assert (models / "Edited" / "model.yaml").read_text() == MANIFEST.replace("Echoes  #", "Echoes loudly #")
        assert sorted(path.name for path in (models / "Edited").iterdir()) == ["etls.py", "model.yaml"]
        server.wait(
            lambda: server.state("Edited")["live"]["manifest"]["description"] == "Echoes loudly", "the new description"
        )
        answer = put(server, "Echo", zipped({"Echo/etls.py": echo("two")}))
        assert answer.status == 200, answer.body
        server.wait(lambda: server.score("Echo")["by"] == "two", "what was uploaded to be live")
        assert sorted(path.name for path in (models / "Echo").iterdir()) == ["etls.py"]
        assert not put(server, "Echo", zipped({"etls.py": echo("two")})).json["changed"]
        put(server, "Echo", zipped({"etls.py": "def broken(:"})).error(422, "release_failed")
        seen = server.admin("GET", "/-/api/models").json["head"]
        assert put(server, "Echo", zipped({"etls.py": echo("three")}), If_Match=f'"{seen}"').status == 200
        put(server, "Echo", zipped({"etls.py": echo("four")}), If_Match=seen).error(409, "conflict")
        delete(server, "Echo", If_Match=seen).error(409, "conflict")
        assert put(server, "Other", zipped({"etls.py": echo("other")})).status == 200
        assert delete(server, "Echo").status == 200
        server.wait(lambda: server.post("/Echo").status == 404, "the model to be gone")
        assert sorted(path.name for path in models.iterdir()) == ["Edited", "Other"]


MANIFEST = "# Ours.\ndescription: Echoes  # as it is\nserve:\n  timeout_s: 20\n"


def edit(server: Server, model: str, **fields: str) -> Answer:
    """The form of the model's manifest, filled in and sent."""
    address = f"{server.base}/-/models/{model}/edit"
    headers = {"authorization": f"Bearer {TOKEN}"}
    page = server.request("GET", address, headers=headers)
    assert page.status == 200, page.body
    seen = re.search(r'name="seen" value="(\w+)"', page.body.decode())
    assert seen is not None
    values = {"seen": seen[1], "v.description": "Echoes", "v.serve.timeout_s": "20", "reason": "they asked", **fields}
    return server.request("POST", address, headers=headers, data=values, follow_redirects=False)


def test_an_edited_manifest_is_proven_and_becomes_a_commit_that_keeps_all_else(
    server: Server, repo: Repo, model: str
) -> None:
    repo.write(f"{model}/model.yaml", MANIFEST).commit()
    server.sync()
    assert edit(server, model, **{"v.serve.timeout_s": "25"}).status == 303
    changed = repo.git("show", "--format=", "HEAD").splitlines()
    assert [line for line in changed if line[:1] in "+-" and line[:3] not in ("+++", "---")] == [
        "-  timeout_s: 20",
        "+  timeout_s: 25",
    ]
    assert "they asked" in repo.git("log", "-1", "--format=%B")
    assert [event["message"] for event in told(server, "uploaded", model)] == [
        f"{model}: model.yaml was edited, as commit {repo.head[:12]}"
    ]
    server.wait(lambda: server.state(model)["live"]["commit"] == repo.head, "the edited model to be live")
    head = repo.head
    refused = edit(server, model, **{"v.serve.timeout_s": "never"})
    assert refused.status == 422
    assert b"&#39;never&#39; was sent; it takes a number of seconds" in refused.body
    repo.write(f"{model}/model.yaml", MANIFEST + "  threads: 1\n").commit()
    server.sync()
    assert edit(server, model, seen="another").status == 409
    assert repo.git("rev-parse", "HEAD^") == head
