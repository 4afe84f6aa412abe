"""What git is told besides its arguments: how to log in, and how to reach the server."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from core.errors import SettingError
from loader.sources.git.mirror.git_environment import Pairs, configured, honoured, quiet_environment
from loader.sources.git.remote import Login, Remote


class Transport:
    """Prepares git for a remote; keeps its helper files in `run`, a folder that only this user can read.

    A login reaches git by a credential helper that reads it from an inherited pipe, once. So it is in no argument (any
    user sees those), in no environment and in no file (a worker of the same user sees those), and in no prompt that
    names it: git hands an askpass program the user name, which may be a token, as an argument. What is left is a
    moment: a process of the same user that watches /proc for it can read git's memory or the pipe while git runs.
    Against that, only another user helps.
    """

    def __init__(self, remote: Remote, run: Path, configuration: Pairs = ()) -> None:
        """`configuration`: the operator's own."""
        self._remote = remote
        self._run = run
        self._writing = Lock()
        """A fetch and a push may prepare at once."""
        self._configuration = list(_authorities()) + [
            (key, value)
            for key, value in honoured(configuration)
            if remote.login is None or not key.startswith("credential.")
        ]
        if remote.address.scheme == "ssh":
            list(self._ssh_options())  # complains at the start of what it can't read

    def environment(self) -> dict[str, str]:
        """Variables for every git that talks to the remote."""
        return quiet_environment() | configured(self._configuration) | self._ssh() | self._trust()

    @contextmanager
    def login(self) -> Iterator[tuple[list[str], tuple[int, ...]]]:
        """Options for one git, and the descriptors it must inherit."""
        login = self._remote.login
        if login is None:
            yield [], ()
            return
        reader = _pipe_holding(login)
        try:
            yield ["-c", "credential.helper=", "-c", f"credential.helper={self._helper(reader)}"], (reader,)
        finally:
            os.close(reader)

    def _helper(self, descriptor: int) -> str:
        return shlex.join(["/bin/sh", "-c", _HELPER, "git-login", self._remote.address.origin, str(descriptor)])

    def _ssh(self) -> dict[str, str]:
        if self._remote.address.scheme != "ssh":
            return {}
        return {"GIT_SSH_COMMAND": shlex.join(["ssh", *self._ssh_options()]), "GIT_SSH_VARIANT": "ssh"}

    def _ssh_options(self) -> Iterator[str]:
        yield "-oBatchMode=yes"
        yield "-oConnectTimeout=20"
        if self._remote.known_hosts_file:
            known = _path(self._remote.known_hosts_file)
            if not os.access(known, os.R_OK):
                raise SettingError(f"gitKnownHostsFile is {str(known)!r}, which can't be read; name a file that can")
            yield "-oStrictHostKeyChecking=yes"
            yield f"-oUserKnownHostsFile={_ssh_quoted(known)}"
        else:
            # Ours comes first, since new keys are written there: a container's home may be read-only or gone tomorrow.
            yield "-oStrictHostKeyChecking=accept-new"
            yield f"-oUserKnownHostsFile={_ssh_quoted(self._run.parent / 'known_hosts')} ~/.ssh/known_hosts"
        if self._remote.ssh_key_file:
            yield "-oIdentitiesOnly=yes"
            yield f"-oIdentityFile={_ssh_quoted(self._key(_path(self._remote.ssh_key_file)))}"

    def _key(self, key: Path) -> Path:
        """The key, in a copy that ssh will take where it won't take the file: open to others, or cut off at its end."""
        try:
            content = key.read_text(encoding="ascii")
            is_private = key.stat().st_mode & 0o077 == 0
        except OSError as error:
            raise SettingError(
                f"gitSshKeyFile is {str(key)!r}, which can't be read ({error.strerror}); name a file with a private key"
            ) from error
        except ValueError as error:
            raise SettingError(f"gitSshKeyFile is {str(key)!r}, which is not text; name a private key") from error
        if is_private and content.endswith("\n"):
            return key
        return self._file("ssh-key", content.rstrip("\n") + "\n", mode=0o600)

    def _trust(self) -> dict[str, str]:
        """Lets git read a repository on this machine that another user owns: the operator named it."""
        if self._remote.address.scheme != "file":
            return {}
        # A file, because git hides what the environment says from the git that it starts at the other end.
        return {"GIT_CONFIG_GLOBAL": str(self._file("gitconfig", "[safe]\n\tdirectory = *\n", mode=0o600))}

    def _file(self, name: str, content: str, mode: int) -> Path:
        self._run.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = self._run / f".{name}.tmp"
        with self._writing:
            aside.unlink(missing_ok=True)
            with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
                file.write(content)
            return aside.rename(self._run / name)


def _path(setting: str) -> Path:
    """No shell has read it where it comes from an env file."""
    return Path(os.path.expanduser(setting)).absolute()


# Answers git's question for a login with what is in the pipe $2, if it is asked for the origin $1 and no other. It is
# no file, which a model of the same user could replace.
_HELPER = """\
[ "$3" = get ] || exit 0
while IFS= read -r line && [ -n "$line" ]; do
  case "$line" in
    protocol=*) protocol=${line#protocol=} ;;
    host=*) host=${line#host=} ;;
  esac
done
[ "$protocol://$host" = "$1" ] && cat "/dev/fd/$2"
exit 0
"""


def _authorities() -> Iterator[tuple[str, str]]:
    """The variable that other programs take them from, unless git's own or its configuration name some."""
    named = os.environ.get("SSL_CERT_FILE")
    if named and not os.environ.get("GIT_SSL_CAINFO"):
        yield "http.sslCAInfo", named


def _pipe_holding(login: Login) -> int:
    reader, writer = os.pipe()
    with open(writer, "wb") as pipe:
        os.set_blocking(writer, False)
        pipe.write(f"username={login.user}\npassword={login.password}\n".encode())
    return reader


def _ssh_quoted(path: Path) -> str:
    """ssh splits an option's value at spaces and expands "%"."""
    return '"' + str(path).replace("%", "%%") + '"'
