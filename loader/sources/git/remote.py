"""The followed repository: its address, and the login for it."""

from __future__ import annotations

import os.path
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from core.errors import SettingError
from core.redaction import redact, without_login


@dataclass(frozen=True)
class Login:
    """A user name and a password, or an access token in either place."""

    user: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True)
class Address:
    """Where a repository is, free of credentials."""

    scheme: str
    """`https`, `http`, `ssh` or `file`."""
    url: str
    """What git is given."""
    login: Login | None = field(default=None, repr=False)
    """What stood before the "@" of a web address."""

    @property
    def origin(self) -> str:
        """Scheme, host and port, of a web address."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> Path:
        """Of a repository on this machine."""
        return Path(unquote(self.url.removeprefix("file://")) if self.url.startswith("file://") else self.url)

    @property
    def is_web(self) -> bool:
        return self.scheme in ("https", "http")


@dataclass(frozen=True)
class Remote:
    """The settings that say which repository is followed. Raises SettingError for values that can't be meant."""

    url: str = field(repr=False)
    branch: str = ""
    """A branch, a tag, a commit's full hash or a ref by its full name; empty: the remote's default branch."""
    folder: str = ""
    """Where the model folders are in the repository; empty: at its root."""
    commit: str = ""
    """The full hash of all that is needed; empty: the branch with its history, which is also what is fetched from a
    remote that gives no single commits."""
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    ssh_key_file: str = ""
    known_hosts_file: str = ""
    fetch_timeout_s: float = 300.0
    max_bytes: int = 10_000_000_000
    """Bytes that the mirror may take."""

    def __post_init__(self) -> None:
        assert self.address
        if self.branch and not _BRANCH.fullmatch(self.branch):
            raise SettingError(
                f"gitBranch is {self.branch!r}; it takes the name of a branch, such as main, or of a tag, the full "
                "hash of a commit, or refs/…"
            )
        if any(part in ("", ".", "..") or part.lower() == ".git" for part in self.segments):
            raise SettingError(
                f"gitFolder is {self.folder!r}; it takes a folder of the repository, such as models/live, or nothing"
            )
        if _CONTROL.search(self.user + self.password):
            raise SettingError("usergit or gitpassword holds a line break or another control character; remove it")

    @cached_property
    def address(self) -> Address:
        return parse_address(self.url)

    @property
    def refs(self) -> tuple[str, ...]:
        """What the remote is asked for, the next where it doesn't have the one before."""
        if self.branch in ("", "HEAD"):
            return ("HEAD",)
        if _HASH.fullmatch(self.branch):
            return (self.branch.lower(),)
        if self.branch.startswith("refs/"):
            return (self.branch,)
        return (f"refs/heads/{self.branch}", f"refs/tags/{self.branch}")

    @property
    def segments(self) -> tuple[str, ...]:
        """The folder, part by part."""
        return tuple(self.folder.strip("/").split("/")) if self.folder.strip("/") else ()

    @property
    def login(self) -> Login | None:
        """What a web server is shown; of user name and password each setting wins over what stands in the URL."""
        if not self.address.is_web:
            return None
        given = self.address.login or Login("", "")
        user, password = self.user or given.user, self.password or given.password
        if not user and not password:
            return None
        # Servers that take a token as the password ask for any user name but none.
        return Login(user or "git", password)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may hold, as it is and as it stands in URLs."""
        given = self.address.login or Login("", "")
        # A user name alone is an access token; beside a password, wherever that comes from, it is not a secret.
        plain = {self.password, given.password} - {""} or {self.user, given.user}
        return tuple(sorted({form for secret in plain if secret for form in _forms(secret)}, key=len, reverse=True))

    def scrub(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return redact(text) if self.address.is_web else text


def parse_address(url: str) -> Address:
    """The address in `url`: https, http, ssh, `git@host:path`, file or a plain path.

    Raises SettingError for anything else: git takes `ext::…` for a command to run, and a leading "-" for an option.
    """
    if not url or url.startswith("-") or _CONTROL.search(url):
        raise _refused(url)
    if _MISPLACED_AT.match(url):
        raise SettingError(
            f"gitPath is {without_login(url)!r}, with an '@' behind the host: if it ends a password that holds "
            "'/', '?' or '#', put the password into gitpassword instead; in a path, write it as %40"
        )
    if _SCP.fullmatch(url):
        return Address("ssh", url)
    if "://" not in url:
        return _plain_path(url)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise _refused(url) from error
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return Address("file", url)
    if not host or host.startswith("-") or (parts.username or "").startswith("-"):
        raise _refused(url)
    if parts.scheme == "ssh":
        user = f"{parts.username}@" if parts.username else ""
        return Address("ssh", urlunsplit(parts._replace(netloc=user + _host(parts))))
    if parts.scheme in ("https", "http"):
        return Address(parts.scheme, urlunsplit(parts._replace(netloc=_host(parts))), _login(parts))
    raise _refused(url)


_BRANCH = re.compile(r"(?!-)(?!/)(?!.*(\.\.|//|@\{|/\.|\.lock(/|$)))(?!\.)[^\x00-\x20\x7f~^:?*\[\\]+(?<![/.])")
_HASH = re.compile(r"[0-9a-fA-F]{40}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCP = re.compile(r"[A-Za-z0-9_][\w.+-]*@([A-Za-z0-9][\w.-]*|\[[0-9a-fA-F:]+\]):(?!:)[^-].*")
_MISPLACED_AT = re.compile(r"(https?|ssh)://[^/?#\\]*[/?#\\].*@", re.IGNORECASE)
"""An "@" that no parser takes for the end of the login, though whoever wrote the address may have meant it so."""


def _plain_path(url: str) -> Address:
    path = os.path.abspath(os.path.expanduser(url))
    is_meant_otherwise = ":" in url.split("/", 1)[0] or (":" in url and "@" in url)
    if is_meant_otherwise and not os.path.exists(path):
        raise _refused(url)
    return Address("file", path)


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _login(parts: SplitResult) -> Login | None:
    if parts.username is None and parts.password is None:
        return None
    login = Login(unquote(parts.username or ""), unquote(parts.password or ""))
    if _CONTROL.search(login.user + login.password):
        raise _refused(urlunsplit(parts))
    return login


def _forms(secret: str) -> set[str]:
    return {secret, quote(secret), quote(secret, safe="")}


def _refused(url: str) -> SettingError:
    return SettingError(
        f"gitPath is {without_login(url)!r}; it takes https://…, http://…, ssh://…, git@host:path, file:///… or a path "
        "on this machine"
    )
