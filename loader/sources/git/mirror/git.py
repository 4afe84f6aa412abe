"""The git program: the one module that starts it, by way of GitPython."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from git.cmd import Git
from git.exc import GitCommandNotFound, GitError

from core.errors import SourceError
from loader.sources.git.mirror.git_environment import quiet_environment, unwanted

__all__ = ["GitError", "IsolatedGit", "ask", "one_line", "operators_configuration", "run", "start"]

_WHERE = ("GIT_CONFIG_SYSTEM", "GIT_CONFIG_GLOBAL")


def start(
    path: Path,
    command: Sequence[str],
    environment: Mapping[str, str],
    descriptors: Sequence[int],
    *,
    answers: bool = False,
) -> subprocess.Popen[bytes]:
    """A git in a process group of its own, so that what it starts can be ended with it.

    `answers`: what it writes to its output is wanted too.
    """
    try:
        running = IsolatedGit(path).execute(
            ["git", *command],
            as_process=True,
            with_stdout=answers,
            env={**environment, "GIT_DIR": str(path)},
            start_new_session=True,
            pass_fds=tuple(descriptors),
        )
    except GitCommandNotFound as error:
        raise SourceError("the git program is not there; install git") from error
    process = running.proc
    assert process is not None
    running.proc = None
    return cast("subprocess.Popen[bytes]", process)


def run(path: Path, arguments: Sequence[str], stdin: bytes, environment: Mapping[str, str]) -> bytes:
    """What a git writes to its output that changes only the repository at `path`. Raises SourceError."""
    environment = {**quiet_environment(), **environment, "GIT_DIR": str(path)}
    with open(os.memfd_create("stdin"), "w+b") as asked:
        asked.write(stdin)
        asked.seek(0)
        try:
            done = IsolatedGit(path).execute(
                ["git", *arguments],
                istream=asked,
                env=environment,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
            )
        except (GitError, OSError) as error:
            raise SourceError(f"git {arguments[0]} failed: {one_line(error)[:500]}") from error
    assert isinstance(done, bytes)
    return done


def operators_configuration() -> list[tuple[str, str]]:
    """What whoever runs Pawl has set for git, for this machine and for this user."""
    where = {name: value for name in _WHERE if (value := os.environ.get(name))}
    scopes = ("--global",) if os.environ.get("GIT_CONFIG_NOSYSTEM") else ("--system", "--global")
    return [pair for scope in scopes for pair in _listed(scope, where)]


def ask(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """What a git that reads no repository and no file says by that environment; "" where it finds nothing."""
    git = ["git", *arguments]
    with contextlib.suppress(GitError):
        said = IsolatedGit(os.sep).execute(
            git, env={**environment, "GIT_DIR": os.devnull}, strip_newline_in_stdout=False
        )
        return str(said)
    return ""


def _listed(scope: str, environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    command = ["git", "config", scope, "--includes", "--list", "--null"]
    try:
        listed = IsolatedGit(os.sep).execute(command, env=environment, stdout_as_string=False)
    except GitError:  # no such file, or no home to look for one
        return
    for line in listed.decode("utf-8", "surrogateescape").split("\0"):
        key, newline, value = line.partition("\n")
        if newline:
            yield key, value


class IsolatedGit(Git):
    """A git that obeys what it is told here, and no variable that others have set for theirs.

    A signal to the server's process group, such as Ctrl-C, is not for it: what is read then is read to its end.
    """

    def execute(self, command: Any, **options: Any) -> Any:  # type: ignore[override]
        told = {*self.environment(), *(options.get("env") or {})}
        others = [name for name in unwanted(os.environ) if name not in told]
        unset = [part for name in others for part in ("-u", name)]
        return super().execute(
            ["env", *unset, *command] if unset else command, **{"start_new_session": True, **options}
        )


def one_line(error: Exception) -> str:
    """What git said, as a part of a sentence."""
    return " ".join(str(error).split())
