"""What git and ssh are told."""

from __future__ import annotations

import os
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import SettingError
from loader.sources.git.mirror.transport import Transport, quiet_environment
from loader.sources.git.remote import Remote

SSH = "git@example.org:models.git"


def ssh_command(tmp_path: Path, **settings: str) -> list[str]:
    return shlex.split(Transport(Remote(SSH, **settings), tmp_path / "run").environment()["GIT_SSH_COMMAND"])  # type: ignore[arg-type]


def configured(command: list[str]) -> dict[str, str]:
    """What ssh itself makes of the command."""
    shown = subprocess.run([*command, "-G", "git@example.org"], capture_output=True, text=True, check=True).stdout
    return dict(line.split(" ", 1) for line in shown.splitlines() if " " in line)


def private_key(tmp_path: Path, mode: int, content: str = "KEY\n") -> Path:
    key = tmp_path / "the key"
    key.write_text(content)
    key.chmod(mode)
    return key


def test_ssh_asks_nobody_and_uses_the_given_key_and_known_hosts_alone(tmp_path: Path) -> None:
    key = private_key(tmp_path, 0o600)
    hosts = tmp_path / "known hosts"
    hosts.write_text("")
    found = configured(ssh_command(tmp_path, ssh_key_file=str(key), known_hosts_file=str(hosts)))
    assert found["batchmode"] == "yes"
    assert found["identitiesonly"] == "yes"
    assert found["identityfile"] == str(key)
    assert found["stricthostkeychecking"] == "true"
    assert found["userknownhostsfile"] == str(hosts)


def test_without_known_hosts_a_new_host_is_trusted_once_and_remembered_in_the_data_folder(tmp_path: Path) -> None:
    found = configured(ssh_command(tmp_path))
    assert found["stricthostkeychecking"] == "accept-new"
    assert found["userknownhostsfile"].split()[0] == str(tmp_path / "known_hosts")


@pytest.mark.parametrize(("mode", "content"), [(0o644, "KEY\n"), (0o640, "KEY\n"), (0o600, "KEY")])
def test_a_key_that_ssh_would_not_take_is_copied(tmp_path: Path, mode: int, content: str) -> None:
    found = configured(ssh_command(tmp_path, ssh_key_file=str(private_key(tmp_path, mode, content))))
    copy = Path(found["identityfile"])
    assert copy == tmp_path / "run/ssh-key"
    assert copy.read_text() == "KEY\n"
    assert copy.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("setting", "variable"), [("ssh_key_file", "gitSshKeyFile"), ("known_hosts_file", "gitKnownHostsFile")]
)
def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path, setting: str, variable: str) -> None:
    with pytest.raises(SettingError, match=variable):
        Transport(Remote(SSH, **{setting: str(tmp_path / "nowhere")}), tmp_path / "run")  # type: ignore[arg-type]


def test_a_file_of_the_home_is_found_as_a_shell_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    private_key(tmp_path, 0o600, "KEY\n").rename(tmp_path / "deploy")
    found = configured(ssh_command(tmp_path, ssh_key_file="~/deploy"))
    assert found["identityfile"] == str(tmp_path / "deploy")


@pytest.mark.parametrize(("content", "why"), [(b"\xff\xfe", "not text"), (None, r"can't be read \(Is a directory\)")])
def test_what_is_no_key_is_said_to_be_none(tmp_path: Path, content: bytes | None, why: str) -> None:
    key = tmp_path / "key"
    key.mkdir() if content is None else key.write_bytes(content)
    with pytest.raises(SettingError, match=rf"^gitSshKeyFile is '{key}', which .*{why}.*; name a"):
        Transport(Remote(SSH, ssh_key_file=str(key)), tmp_path / "run")


def test_the_secrets_of_our_own_environment_are_unassigned_in_gits_and_the_rest_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITPASSWORD", "secret")
    monkeypatch.setenv("PAWL_ADMIN_TOKEN", "secret")
    monkeypatch.setenv("GIT_SSL_CAINFO", "/authorities")
    monkeypatch.setenv("https_proxy", "http://proxy")
    environment = os.environ | quiet_environment(os.environ)
    assert "secret" not in environment.values()
    assert environment["GIT_SSL_CAINFO"] == "/authorities"
    assert environment["https_proxy"] == "http://proxy"
    assert environment["GIT_ALLOW_PROTOCOL"] == "https:http:ssh:file"


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        ("protocol=https\nhost=example.org\n\n", True),
        ("protocol=https\nhost=example.org\npath=models\n", True),
        ("protocol=http\nhost=example.org\n\n", False),
        ("protocol=https\nhost=example.org.evil\n\n", False),
        ("protocol=http\nhost=proxy\n\n", False),
    ],
)
def test_the_login_is_told_to_the_configured_host_alone_and_once(tmp_path: Path, question: str, answered: bool) -> None:
    remote = Remote("https://example.org/models", user="ada", password="se cret$")
    with Transport(remote, tmp_path / "run").login() as (options, descriptors):
        helper = options[-1].removeprefix("credential.helper=")
        assert "cret" not in "".join(options)
        first, second = (
            subprocess.run(
                f"{helper} get", shell=True, input=question, pass_fds=descriptors, capture_output=True, text=True
            ).stdout
            for _ in range(2)
        )
    assert first == ("username=ada\npassword=se cret$\n" if answered else "")
    assert second == ""


def test_a_git_with_a_login_leaves_no_descriptor_behind_however_it_ends(tmp_path: Path) -> None:
    transport = Transport(Remote("https://example.org/models", user="ada", password="secret"), tmp_path / "run")
    before = os.listdir("/proc/self/fd")
    with transport.login() as (_, descriptors):
        assert subprocess.run(["cat", f"/dev/fd/{descriptors[0]}"], pass_fds=descriptors, capture_output=True).stdout
    with pytest.raises(FileNotFoundError), transport.login() as (_, descriptors):
        subprocess.run([str(tmp_path / "no-git")], pass_fds=descriptors)
    assert os.listdir("/proc/self/fd") == before


def test_a_fetch_and_a_push_prepare_at_once(tmp_path: Path) -> None:
    transport = Transport(Remote(str(tmp_path / "models")), tmp_path / "run")
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda _: transport.environment()["GIT_CONFIG_GLOBAL"], range(400)))
    assert set(told) == {str(tmp_path / "run" / "gitconfig")}
