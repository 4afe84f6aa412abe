"""Where large files are asked for, by way of what, and who is shown the login."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.errors import Heals, ReleaseFailed
from core.release import Release
from loader.releases.store import ReleaseStore
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.githttp import GitServer, git_server
from tests.repos import Repo

BIG = b"big" * 1000
PASSWORD = "s3cr3t-word"


@dataclass
class Place:
    """A repository with a large file behind a login, and another server, of another host, without one."""

    tmp_path: Path
    server: GitServer
    other: GitServer
    repo: Repo
    served: Path

    @property
    def elsewhere(self) -> str:
        return self.other.origin.replace("127.0.0.1", "localhost")

    def push(self, path: str, content: str) -> None:
        self.repo.commit_file(path, content)
        self.repo.push(self.served)

    def get(self, url: str = "", **settings: object) -> bytes:
        """What the large file holds in the release."""
        login = {"user": "ada", "password": PASSWORD}
        remote = Remote(url or self.server.url("models.git"), **login | settings)  # type: ignore[arg-type]
        source = GitSource(remote, self.tmp_path / "data")
        try:
            revision = source.look().models["Iris"].revision
            assert revision is not None
            return (
                ReleaseStore(self.tmp_path / "releases").put(Release(revision), source) / "Iris/big.onnx"
            ).read_bytes()
        finally:
            source.close()

    def fail(self, url: str = "") -> str:
        with pytest.raises(ReleaseFailed) as caught:
            self.get(url)
        assert caught.value.heals == Heals.WITH_MACHINE
        assert PASSWORD not in str(caught.value)
        return str(caught.value)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with git_server(tmp_path / "served", "ada", PASSWORD) as server, git_server(tmp_path / "served") as other:
        repo = Repo(tmp_path / "work")
        repo.write("Iris/etls.py").write("Iris/big.onnx", server.hold_large(BIG)).commit()
        other.large = server.large
        yield Place(tmp_path, server, other, repo, repo.bare(tmp_path / "served/models.git"))


def configure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *settings: tuple[str, str]) -> None:
    """The operator's own configuration of git."""
    file = tmp_path / "gitconfig"
    for key, value in settings:
        subprocess.run(["git", "config", "--file", str(file), "--add", key, value], check=True)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(file))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_the_question_or_of_a_download_is_followed_without_the_login(place: Place, status: int) -> None:
    place.server.redirect_at = {"/info/lfs/": place.elsewhere, "/large/": place.elsewhere}
    place.server.redirect_status = status
    place.other.large_at = place.server.origin
    assert place.get() == BIG
    assert len(place.other.logins) == 2
    assert not any(login for _, login in place.other.logins)


def test_what_a_server_says_for_one_host_is_not_said_to_the_next(place: Place) -> None:
    oid = next(iter(place.server.large))
    download = {"href": f"{place.server.origin}/large/{oid}", "header": {"Authorization": "Basic abc"}}
    place.server.lfs_answer = json.dumps({"objects": [{"oid": oid, "actions": {"download": download}}]}).encode()
    place.server.redirect_at = {"/large/": place.elsewhere}
    assert place.get() == BIG
    assert ("/large/" + oid, "Basic abc") in place.server.logins
    assert not any(login for _, login in place.other.logins)


@pytest.mark.parametrize(
    ("to", "told"), [("{own}", "redirects without end"), ("ftp://127.0.0.1", "redirects to an address of ftp")]
)
def test_a_redirect_that_leads_nowhere_is_told(place: Place, to: str, told: str) -> None:
    place.server.redirect_at = {"/large/": to.format(own=place.server.origin)}
    assert told in place.fail()


def test_lfsconfig_says_where_large_files_are_and_the_login_stays_here(place: Place) -> None:
    place.push(".lfsconfig", f"[lfs]\n\turl = {place.elsewhere}/store/info/lfs/\n")
    place.other.large_at = place.elsewhere
    place.server.large = {}
    assert place.get() == BIG
    assert place.other.logins[0][0] == "/store/info/lfs/objects/batch"
    assert not any(login for _, login in place.other.logins)


def test_lfsconfig_may_name_another_path_of_the_same_host_which_is_shown_the_login(place: Place) -> None:
    place.push(".lfsconfig", f"[lfs]\n\turl = {place.server.origin}/store/info/lfs\n")
    assert place.get() == BIG
    assert place.server.asked_for("/store/info/lfs/objects/batch") == 1


def test_lfsconfig_that_comes_later_is_obeyed_though_the_release_is_the_same(place: Place) -> None:
    place.server.large = {}
    place.fail()
    place.push(".lfsconfig", f"[lfs]\n\turl = {place.elsewhere}/store/info/lfs\n")
    place.other.large_at = place.elsewhere
    assert place.get() == BIG


@pytest.mark.parametrize(
    "url",
    [
        "file:///tmp", "/tmp", "ssh://127.0.0.1/x", "git@127.0.0.1:x", "ext::sh -c true", "-x", "ftp://127.0.0.1",
        f"http://ada:{PASSWORD}@",
    ],
)  # fmt: skip
def test_lfsconfig_may_name_no_other_kind_of_place(place: Place, url: str) -> None:
    place.push(".lfsconfig", f'[lfs]\n\turl = "{url}"\n')
    assert "it takes the address of a server of http or https" in place.fail()


def test_a_login_in_lfsconfig_is_not_shown(place: Place) -> None:
    place.push(".lfsconfig", f"[lfs]\n\turl = {place.elsewhere.replace('//', '//eve:pw@')}/store/info/lfs\n")
    place.other.large_at = place.elsewhere
    assert place.get() == BIG
    assert not any(login for _, login in place.other.logins)


@pytest.mark.parametrize(
    "content",
    ["[lfs", "x" * 70_000, "[include]\n\tpath = /etc/passwd\n[lfs\n"],
)
def test_lfsconfig_that_can_not_be_read_is_told(place: Place, content: str) -> None:
    place.push(".lfsconfig", content)
    assert ".lfsconfig can't be read" in place.fail()


@pytest.mark.parametrize(
    "content",
    [
        "[http]\n\tproxy = {other}\n[core]\n\thooksPath = /x\n",
        '[url "{other}/"]\n\tinsteadOf = {own}/\n',
        "[include]\n\tpath = {file}\n",
        "[lfs]\n\tconcurrenttransfers = 3\n",
    ],
)
def test_of_lfsconfig_only_the_address_is_obeyed(place: Place, tmp_path: Path, content: str) -> None:
    included = tmp_path / "included"
    included.write_text(f"[lfs]\n\turl = {place.other.origin}\n")
    place.push(".lfsconfig", content.format(other=place.other.origin, own=place.server.origin, file=included))
    assert place.get() == BIG
    assert place.other.logins == []


def test_the_operators_lfs_url_wins(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.push(".lfsconfig", "[lfs]\n\turl = http://127.0.0.1:1/\n")
    place.other.large_at = place.elsewhere
    configure(monkeypatch, tmp_path, ("lfs.url", f"{place.elsewhere}/store"))
    assert place.get() == BIG


def test_an_address_that_git_uses_instead_is_used_for_large_files_too(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, tmp_path, (f"url.{place.server.origin}/.insteadOf", "https://models.example/"))
    place.server.user = place.server.password = ""
    assert place.get("https://models.example/models.git", user="", password="") == BIG


def test_a_header_of_the_operators_goes_to_the_repositorys_host_alone(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, tmp_path, ("http.extraHeader", "Authorization: Basic YWRhOnMzY3IzdC13b3Jk"))
    place.server.large_at = place.elsewhere
    assert place.get(user="", password="") == BIG
    assert place.server.asked_for("/info/lfs/") == 1
    assert [login for _, login in place.other.logins] == [""]


def test_large_files_go_by_way_of_gits_proxy(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = place.other
    configure(monkeypatch, tmp_path, ("http.http://large.example/.proxy", proxy.origin))
    place.push(".lfsconfig", "[lfs]\n\turl = http://large.example/store\n")
    proxy.large_at = "http://large.example"
    assert place.get() == BIG
    assert proxy.asked_for("http://large.example/") == 2
    assert not any(login for _, login in proxy.logins)


def test_large_files_go_by_way_of_a_proxy_over_tls_that_git_trusts(
    place: Place, tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_SSL_CAINFO", raising=False)
    with git_server(tmp_path / "served", certificate=certificate) as proxy:
        proxy.large, proxy.large_at = place.server.large, "http://large.example"
        configure(
            monkeypatch,
            tmp_path,
            ("http.http://large.example/.proxy", proxy.origin),
            ("http.sslCAInfo", str(certificate)),
        )
        place.push(".lfsconfig", "[lfs]\n\turl = http://large.example/store\n")
        assert place.get() == BIG
        assert proxy.asked_for("http://large.example/") == 2


def test_a_proxy_that_git_lfs_can_not_go_by_way_of_is_told(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, tmp_path, ("http.http://large.example/.proxy", "socks5://127.0.0.1:1"))
    place.push(".lfsconfig", "[lfs]\n\turl = http://large.example/store\n")
    assert "the proxy is one of socks5" in place.fail()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """With its key in the same file, for 127.0.0.1, signed by nobody but itself."""
    file = tmp_path / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    done = subprocess.run([*command.split(), "-keyout", "-", "-out", "-"], capture_output=True, check=True)
    file.write_bytes(done.stdout)
    return file


@pytest.mark.parametrize("trust", ["http.sslCAInfo", "http.sslVerify", "for that host", "GIT_SSL_NO_VERIFY"])
def test_large_files_come_over_tls_by_what_git_trusts(
    tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch, trust: str
) -> None:
    with git_server(tmp_path / "served", "ada", PASSWORD, certificate) as server:
        repo = Repo(tmp_path / "work")
        repo.write("Iris/etls.py").write("Iris/big.onnx", server.hold_large(BIG)).commit()
        place = Place(tmp_path, server, server, repo, repo.bare(tmp_path / "served/models.git"))
        monkeypatch.delenv("GIT_SSL_CAINFO", raising=False)
        if trust == "GIT_SSL_NO_VERIFY":
            monkeypatch.setenv(trust, "1")
        else:
            configure(
                monkeypatch,
                tmp_path,
                {
                    "http.sslCAInfo": ("http.sslCAInfo", str(certificate)),
                    "http.sslVerify": ("http.sslVerify", "false"),
                    "for that host": (f"http.{server.origin}.sslVerify", "false"),
                }[trust],
            )
        assert place.get() == BIG


def test_a_server_that_git_does_not_trust_gets_no_login(
    place: Place, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_SSL_CAINFO", raising=False)
    with git_server(place.tmp_path / "served", certificate=certificate) as stranger:
        place.push(".lfsconfig", f"[lfs]\n\turl = {stranger.origin}/store\n")
        assert "certificate verify failed" in place.fail()
        assert stranger.logins == []
        monkeypatch.setenv("GIT_SSL_CAINFO", str(place.tmp_path / "nowhere"))
        assert "git's certificates" in place.fail()


def test_a_redirect_from_https_to_http_is_refused(
    place: Place, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certificate))
    with git_server(place.tmp_path / "served", certificate=certificate) as secure:
        secure.redirect_at = {"/store/": place.server.origin}
        place.push(".lfsconfig", f"[lfs]\n\turl = {secure.origin}/store\n")
        assert "redirects from https to http" in place.fail()
