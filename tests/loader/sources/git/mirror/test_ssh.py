"""A repository behind a real ssh server."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import SourceError
from core.release import Release
from loader.releases.store import ReleaseStore
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.gitssh import SshServer, can_run_sshd, running_sshd
from tests.repos import Repo

pytestmark = pytest.mark.skipif(
    not can_run_sshd(), reason="no sshd here: on Debian and Ubuntu, apt-get install openssh-server"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "models")
    repo.write("Iris/etls.py", "class transform_predict: pass").commit()
    return repo


def source(
    server: SshServer, repo: Repo, data: Path, *, key: Path | None = None, hosts: Path | None = None
) -> GitSource:
    remote = Remote(
        server.url(repo.path),
        ssh_key_file=str(key or server.key),
        known_hosts_file=str(hosts or server.known_hosts),
        fetch_timeout_s=30,
    )
    return GitSource(remote, data)


def test_a_repository_is_followed_over_ssh(server: SshServer, repo: Repo, tmp_path: Path) -> None:
    followed = source(server, repo, tmp_path / "data")
    desired = followed.look()
    assert (desired.head, set(desired.models)) == (repo.head, {"Iris"})
    revision = desired.models["Iris"].revision
    assert revision is not None
    checked_out = ReleaseStore(tmp_path / "releases").put(Release(revision), followed)
    assert (checked_out / "Iris/etls.py").read_text() == "class transform_predict: pass"
    repo.write("Churn/etls.py", "").commit()
    assert set(followed.look().models) == {"Iris", "Churn"}
    followed.close()


def test_a_key_that_everybody_may_read_works_as_a_mounted_secret_does(
    server: SshServer, repo: Repo, tmp_path: Path
) -> None:
    mounted = tmp_path / "key"
    mounted.write_bytes(server.key.read_bytes())
    mounted.chmod(0o644)
    followed = source(server, repo, tmp_path / "data", key=mounted)
    assert set(followed.look().models) == {"Iris"}
    followed.close()


def test_a_host_that_is_not_the_known_one_is_refused(server: SshServer, repo: Repo, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    hosts = tmp_path / "hosts"
    hosts.write_text(f"[127.0.0.1]:{server.port} {(tmp_path / 'other.pub').read_text()}")
    followed = source(server, repo, tmp_path / "data", hosts=hosts)
    with pytest.raises(SourceError, match="gitKnownHostsFile"):
        followed.look()
    followed.close()


def test_a_key_that_the_host_does_not_take_is_said_to_be_so(server: SshServer, repo: Repo, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    followed = source(server, repo, tmp_path / "data", key=tmp_path / "other")
    with pytest.raises(SourceError, match="gitSshKeyFile"):
        followed.look()
    followed.close()
