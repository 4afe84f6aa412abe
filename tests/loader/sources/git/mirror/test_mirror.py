"""The mirror against a real server: logins, budgets, damage."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from core.errors import SourceError
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.githttp import git_server
from tests.loader.sources.git.mirror.served import following, push, served
from tests.repos import Repo
from tests.waiting import wait_for

SECRET = "s3cr3t-pass/word"


def test_a_repository_is_followed_over_http(tmp_path: Path) -> None:
    with served(tmp_path) as (repo, server), following(server.url("models.git"), tmp_path / "data") as source:
        source.look()
        push(repo, tmp_path, "Iris/x.bin")
        assert source.look().head == repo.head


def test_of_one_commit_no_history_is_fetched(tmp_path: Path) -> None:
    with served(tmp_path) as (repo, server):
        wanted = repo.head
        push(repo, tmp_path, "Iris/x.bin")
        with following(server.url("models.git"), tmp_path / "data", commit=wanted) as source:
            assert source.look().head == wanted
        held = subprocess.check_output(["git", "-C", str(tmp_path / "data/mirror.git"), "rev-list", "--all"], text=True)
        assert held.split() == [wanted]


def test_where_a_commit_can_not_be_had_alone_the_branch_is_fetched(tmp_path: Path) -> None:
    with (
        served(tmp_path) as (repo, server),
        following(server.url("models.git"), tmp_path / "data", commit="0" * 40) as source,
    ):
        assert source.look().head == repo.head


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_repository_that_uses_sha_256_is_refused_in_a_sentence(tmp_path: Path, scheme: str) -> None:
    path = tmp_path / "models"
    subprocess.run(["git", "init", "--quiet", "--object-format=sha256", str(path)], check=True)
    Repo(path).commit_file("Iris/etls.py", "1")
    with following(f"{scheme}{path}", tmp_path / "data") as source:
        for _ in range(2):
            with pytest.raises(SourceError, match="uses SHA-256, which is not supported; use SHA-1"):
                source.look()


@pytest.mark.parametrize("where", ["settings", "url", "token"])
def test_a_login_is_shown_to_the_server(tmp_path: Path, where: str) -> None:
    user, password = ("git", SECRET) if where != "token" else (SECRET, "")
    with served(tmp_path, user, password) as (repo, server):
        url = server.url(
            "models.git", {"url": "git:s3cr3t-pass%2Fword@", "token": "s3cr3t-pass%2Fword@"}.get(where, "")
        )
        settings = {"user": user, "password": password} if where == "settings" else {}
        with following(url, tmp_path / "data", **settings) as source:
            assert source.look().head == repo.head
            assert SECRET not in source.where


def test_a_wrong_login_says_so_and_what_to_do(tmp_path: Path) -> None:
    with served(tmp_path, "ada", "right") as (_, server):
        with (
            following(server.url("models.git"), tmp_path / "data", user="ada", password=SECRET) as source,
            pytest.raises(SourceError, match=r"authentication failed.*gitpassword") as caught,
        ):
            source.look()
        assert SECRET not in str(caught.value)
        with (
            following(server.url("models.git"), tmp_path / "data") as source,
            pytest.raises(SourceError, match=r"asks for a login.*usergit"),
        ):
            source.look()


def test_a_login_is_in_no_process_no_environment_and_no_file(tmp_path: Path) -> None:
    with served(tmp_path, "ada", SECRET) as (_, server):
        url = server.url("models.git", "ada:s3cr3t-pass%2Fword@")
        with following(url, tmp_path / "data") as source:
            server.hold = threading.Event()
            looking = threading.Thread(target=source.look)
            looking.start()
            assert server.asked.wait(100)
            shown = processes()
            server.hold.set()
            looking.join()
            assert source.look().models
        assert any(b"fetch" in one and b"models.git" in one for one in shown)
        for one in [*shown, *(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())]:
            assert b"s3cr3t" not in one
        assert any(login for _, login in server.logins)


def mentioned(text: str) -> list[str]:
    """Processes of the whole machine that have the text in their command lines."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [str(path)] if text.encode() in path.read_bytes() else []
        except OSError:
            continue
    return found


def processes() -> list[bytes]:
    """Command lines and environments of the children of this process, and of theirs."""
    parents: dict[int, int] = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    ours = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    found = []
    for pid in ours - {os.getpid()}:
        try:
            found.append(Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes())
        except OSError:
            continue
    return found


def test_a_login_does_not_follow_a_redirect_to_another_host(tmp_path: Path) -> None:
    with served(tmp_path) as (_, other), git_server(tmp_path / "served", "ada", SECRET) as server:
        other.user = "somebody"
        server.redirect = other.origin.replace("127.0.0.1", "localhost")
        with (
            following(server.url("models.git"), tmp_path / "data", user="ada", password=SECRET) as source,
            pytest.raises(SourceError),
        ):
            source.look()
        assert other.logins
        assert not any(login for _, login in other.logins)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [(404, "no such repository.*gitPath"), (403, "authentication failed"), (500, "could not be fetched")],
)
def test_what_a_server_refuses_is_said_in_words(tmp_path: Path, answer: int, advice: str) -> None:
    with served(tmp_path) as (_, server), following(server.url("models.git"), tmp_path / "data") as source:
        server.status = answer
        with pytest.raises(SourceError, match=advice):
            source.look()
        server.status = 0
        assert source.look().models


def test_a_server_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    with served(tmp_path) as (_, server):
        url = server.url("models.git")
    with following(url, tmp_path / "data") as source, pytest.raises(SourceError, match="can't be reached"):
        source.look()


def test_a_host_that_has_no_address_is_said_in_words(tmp_path: Path) -> None:
    with (
        following("http://nowhere.invalid/models.git", tmp_path / "data") as source,
        pytest.raises(SourceError, match=r"can't be (resolved|reached)"),
    ):
        source.look()


def test_a_fetch_that_takes_too_long_is_ended_with_all_its_processes(tmp_path: Path) -> None:
    with served(tmp_path) as (_, server):
        server.hold = threading.Event()
        with (
            following(server.url("models.git"), tmp_path / "data", fetch_timeout_s=0.5) as source,
            pytest.raises(SourceError, match=r"timed out after 0.5 s.*FETCH_TIMEOUT_S"),
        ):
            source.look()
        wait_for(lambda: not mentioned(server.origin), "the end of its processes")


def test_a_fetch_that_brings_too_much_is_refused(tmp_path: Path) -> None:
    with served(tmp_path) as (repo, server):
        push(repo, tmp_path, *(f"Iris/{number}.bin" for number in range(20)))
        with (
            following(server.url("models.git"), tmp_path / "data", max_bytes=100_000) as source,
            pytest.raises(SourceError, match=r"more than 0 MB.*FETCH_MAX_MB"),
        ):
            source.look()


def test_closing_ends_a_fetch_that_is_under_way(tmp_path: Path) -> None:
    with served(tmp_path) as (_, server):
        server.hold = threading.Event()
        source = GitSource(Remote(server.url("models.git")), tmp_path / "data")
        failed: list[Exception] = []

        def look() -> None:
            try:
                source.look()
            except SourceError as error:
                failed.append(error)

        looking = threading.Thread(target=look)
        looking.start()
        assert server.asked.wait(100)
        source.close()
        looking.join(100)
        assert failed


def test_once_closed_it_asks_the_server_nothing_more(tmp_path: Path) -> None:
    with served(tmp_path) as (_, server):
        source = GitSource(Remote(server.url("models.git")), tmp_path / "data")
        source.close()
        with pytest.raises(SourceError, match="not followed any more"):
            source.look()
        assert not server.asked.is_set()


def test_hooks_in_the_users_configuration_do_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    hook = hooks / "reference-transaction"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    configuration = tmp_path / "gitconfig"
    configuration.write_text(f"[core]\n\thooksPath = {hooks}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    repo = Repo(tmp_path / "work")
    repo.commit_file("Iris/etls.py", "1")
    with following(str(repo), tmp_path / "data") as source:
        source.look()
    assert not (tmp_path / "ran").exists()


def test_the_users_own_configuration_still_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repo(tmp_path / "work")
    repo.commit_file("Iris/etls.py", "1")
    configuration = tmp_path / "gitconfig"
    configuration.write_text(f'[url "file://{repo.path}"]\n\tinsteadOf = https://example.invalid/models\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    with following("https://example.invalid/models", tmp_path / "data") as source:
        assert source.look().models
