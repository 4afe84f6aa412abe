"""What git obeys is Pawl's word: nothing that a model of the same user writes, and nothing meant for other gits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loader.sources.git.mirror.git_environment import honoured
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.githttp import GitServer, git_server
from tests.repos import Repo

PASSWORD = "s3cr3t-word"


class Followed:
    """A repository behind a login, the source that follows it, and a server that would like to know the password."""

    def __init__(self, tmp_path: Path, server: GitServer, thief: GitServer) -> None:
        self.data = tmp_path / "data"
        self.mirror = self.data / "mirror.git"
        self.thief = thief
        self.repo = Repo(tmp_path / "work")
        self.repo.commit_file("Iris/etls.py", "1")
        self._served = self.repo.bare(tmp_path / "served/models.git")
        self._url = server.url("models.git")
        self._sources: list[GitSource] = []

    def source(self) -> GitSource:
        source = GitSource(Remote(self._url, user="ada", password=PASSWORD), self.data)
        self._sources.append(source)
        return source

    def push(self) -> str:
        self.repo.commit_file("Iris/etls.py", os.urandom(9).hex())
        self.repo.push(self._served)
        return self.repo.head

    def close(self) -> None:
        for source in self._sources:
            source.close()


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[Followed]:
    with git_server(tmp_path / "served", "ada", PASSWORD) as server, git_server(tmp_path / "nothing") as thief:
        followed = Followed(tmp_path, server, thief)
        try:
            yield followed
        finally:
            followed.close()


def configure_a_proxy(mirror: Path, thief: str) -> None:
    with (mirror / "config").open("a") as config:
        config.write(f"[http]\n\tproxy = {thief}\n")


def configure_another_address(mirror: Path, thief: str) -> None:
    with (mirror / "config").open("a") as config:
        config.write(f'[url "{thief}/"]\n\tinsteadOf = http://127.0.0.1\n')


def include_a_file(mirror: Path, thief: str) -> None:
    (mirror.parent / "more").write_text(f"[http]\n\tproxy = {thief}\n")
    with (mirror / "config").open("a") as config:
        config.write("[include]\n\tpath = ../more\n")


def configure_the_worktree(mirror: Path, thief: str) -> None:
    with (mirror / "config").open("a") as config:
        config.write("[extensions]\n\tworktreeConfig = true\n")
    (mirror / "config.worktree").write_text(f"[http]\n\tproxy = {thief}\n")


def link_the_configuration(mirror: Path, thief: str) -> None:
    (mirror.parent / "config").write_text(f"[core]\n\tbare = true\n[http]\n\tproxy = {thief}\n")
    (mirror / "config").unlink()
    (mirror / "config").symlink_to("../config")


def move_what_is_common(mirror: Path, thief: str) -> None:
    other = Repo(mirror.parent / "other").path / ".git"
    with (other / "config").open("a") as config:
        config.write(f"[http]\n\tproxy = {thief}\n")
    (mirror / "commondir").write_text(str(other))


def graft(mirror: Path, thief: str) -> None:
    (mirror / "info").mkdir(exist_ok=True)
    (mirror / "info/grafts").write_text(f"{'0' * 40} {'1' * 40}\n")


def borrow_objects(mirror: Path, thief: str) -> None:
    (mirror / "objects/info").mkdir(exist_ok=True)
    (mirror / "objects/info/alternates").write_text("/nowhere/objects\n")


def hook(mirror: Path, thief: str) -> None:
    (mirror / "hooks").mkdir()
    for name in ("reference-transaction", "post-checkout"):
        (mirror / "hooks" / name).write_text(f"#!/bin/sh\ntouch {mirror.parent}/ran\n")
        (mirror / "hooks" / name).chmod(0o755)


@pytest.mark.parametrize(
    "poison",
    [
        configure_a_proxy,
        configure_another_address,
        include_a_file,
        configure_the_worktree,
        link_the_configuration,
        move_what_is_common,
        graft,
        borrow_objects,
        hook,
    ],
)
def test_what_a_model_writes_into_the_mirror_is_not_obeyed_and_goes(
    followed: Followed, poison: Callable[[Path, str], None]
) -> None:
    source = followed.source()
    source.look()
    poison(followed.mirror, followed.thief.origin)
    head = followed.push()
    desired = source.look()
    assert (desired.head, desired.models["Iris"].version.number) == (head, 2)
    assert not followed.thief.asked.is_set()
    assert not (followed.data / "ran").exists()
    allowed = {"HEAD", "config", "objects", "refs", "packed-refs"}
    assert {path.name for path in followed.mirror.iterdir()} <= allowed
    assert "proxy" not in (followed.mirror / "config").read_text()
    assert not (followed.mirror / "objects/info").exists()


def test_the_users_configuration_counts_as_it_was_before_any_model_ran(
    followed: Followed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    source = followed.source()
    source.look()
    (home / ".gitconfig").write_text(f"[http]\n\tproxy = {followed.thief.origin}\n")
    head = followed.push()
    assert source.look().head == head
    assert not followed.thief.asked.is_set()
    followed.thief.status = 404
    with pytest.raises(Exception, match=r"models\.git"):
        followed.source().look()
    assert followed.thief.asked.is_set()


def test_a_models_answer_to_the_question_for_a_login_is_not_asked_for(followed: Followed) -> None:
    """Every file that Pawl keeps for git, written over by a model of the same user."""
    source = followed.source()
    source.look()
    for path in (followed.data / "run").rglob("*"):
        if path.is_file():
            path.write_text(f"#!/bin/sh\ncat /dev/fd/* > {followed.data}/stolen\n")
    head = followed.push()
    assert source.look().head == head
    assert not (followed.data / "stolen").exists()


@pytest.mark.parametrize(
    "variables",
    [
        {"GIT_DIR": "{nowhere}"},
        {"GIT_WORK_TREE": "{nowhere}"},
        {"GIT_COMMON_DIR": "{nowhere}"},
        {"GIT_OBJECT_DIRECTORY": "{nowhere}"},
        {"GIT_ALTERNATE_OBJECT_DIRECTORIES": "{nowhere}"},
        {"GIT_INDEX_FILE": "{nowhere}"},
        {"GIT_SHALLOW_FILE": "{nowhere}"},
        {"GIT_GRAFT_FILE": "{nowhere}"},
        {"GIT_NAMESPACE": "another"},
        {"GIT_EXEC_PATH": "{nowhere}"},
        {"GIT_DEFAULT_HASH": "sha256"},
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.proxy", "GIT_CONFIG_VALUE_0": "{thief}"},
        {"GIT_CONFIG_COUNT": "nonsense"},
        {"GIT_CONFIG_PARAMETERS": "'http.proxy'='{thief}'"},
        {"GIT_ASKPASS": "{nowhere}"},
        {"GIT_TRACE": "{nowhere}"},
        {"GIT_TRACE_CURL": "{nowhere}", "GIT_TRACE_REDACT": "0"},
        {"GIT_TRACE2_EVENT": "{nowhere}"},
        {"GIT_TRACE_PACKET": "{nowhere}"},
        {"GIT_ALLOW_PROTOCOL": "ssh"},
        {"GIT_PROTOCOL_FROM_USER": "0"},
        {"GIT_ATTR_SOURCE": "nonsense"},
        {"GIT_CEILING_DIRECTORIES": "nonsense"},
        {"GIT_REPLACE_REF_BASE": "refs/heads/"},
    ],
    ids=lambda variables: "-".join(variables),
)
def test_variables_that_are_meant_for_another_git_are_not_obeyed(
    followed: Followed, variables: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = followed.push()
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(nowhere=tmp_path / "nowhere", thief=followed.thief.origin))
    source = followed.source()
    assert source.look().head == head
    assert not followed.thief.asked.is_set()
    assert not (tmp_path / "nowhere").exists()


def test_of_the_operators_configuration_that_counts_which_says_how_to_reach_a_server() -> None:
    reach = [
        ("http.sslcainfo", "/authorities"),
        ("http.https://example.org/.proxy", "http://proxy"),
        ("http.https://example.org/.sslcert", "/client"),
        ("url.https://inside/.insteadof", "https://outside/"),
        ("credential.helper", "store"),
    ]
    other = [
        ("core.hookspath", "/hooks"),
        ("core.sshcommand", "ssh -v"),
        ("core.worktree", "/"),
        ("core.fsmonitor", "true"),
        ("core.alternaterefscommand", "x"),
        ("uploadpack.packobjectshook", "x"),
        ("remote.origin.uploadpack", "x"),
        ("filter.lfs.smudge", "x"),
        ("http.savecookies", "true"),
        ("protocol.ext.allow", "always"),
        ("include.path", "x"),
    ]
    assert honoured([*other, *reach]) == reach
