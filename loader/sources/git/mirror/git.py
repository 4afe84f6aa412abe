"""Git, as it runs in the bare mirror: the one module that calls it."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, cast

from git.cmd import Git
from git.exc import GitCommandNotFound, GitError

from core.errors import SourceError
from loader.files.git_objects import Commit, Entry, MirrorDamaged, parse_tree
from loader.sources.git.mirror.git_environment import quiet_environment, unwanted

_PIECE = 1 << 20
_BOUNDED = ("sh", "-c", 'ulimit -d 262144; exec "$@"', "sh")
"""In kilobytes, of what is not a file: to compare trees that hold each other many times over takes endless memory."""


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
        running = _Git(path).execute(
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
            done = _Git(path).execute(
                ["git", *arguments],
                istream=asked,
                env=environment,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
            )
        except (GitError, OSError) as error:
            raise SourceError(f"git {arguments[0]} failed: {_one_line(error)[:500]}") from error
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
        said = _Git(os.sep).execute(git, env={**environment, "GIT_DIR": os.devnull}, strip_newline_in_stdout=False)
        return str(said)
    return ""


_WHERE = ("GIT_CONFIG_SYSTEM", "GIT_CONFIG_GLOBAL")


def _listed(scope: str, environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    command = ["git", "config", scope, "--includes", "--list", "--null"]
    try:
        listed = _Git(os.sep).execute(command, env=environment, stdout_as_string=False)
    except GitError:  # no such file, or no home to look for one
        return
    for line in listed.decode("utf-8", "surrogateescape").split("\0"):
        key, newline, value = line.partition("\n")
        if newline:
            yield key, value


class _Git(Git):
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


class MirrorObjects:
    """Reads objects, through git processes that stay. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._git: Git | None = None

    def resolve(self, ref: str, expected: str = "commit") -> str | None:
        """The commit that `ref` is at; None when there is no such ref."""
        try:
            id, kind, _ = self._reader().get_object_header(ref)
        except (ValueError, OSError) as error:
            self.close()
            if "could not be resolved" in str(error):
                return None
            raise MirrorDamaged(str(error)) from error
        if _text(kind) != expected:
            raise MirrorDamaged(f"{ref} is a {_text(kind)}, not a {expected}")
        return _text(id)

    def tree(self, id: str) -> tuple[Entry, ...]:
        try:
            return tuple(parse_tree(self._whole(id, "tree")))
        except ValueError as error:
            raise MirrorDamaged(f"tree {id}: {error}") from error

    def blob(self, id: str) -> bytes:
        return self._whole(id, "blob")

    def commit(self, id: str) -> bytes:
        """What it holds: headers, an empty line, the message."""
        return self._whole(id, "commit")

    def size(self, id: str) -> int:
        with self._reading(id):
            _, kind, size = self._reader().get_object_header(id)
            _expect(kind, "blob")
            return size

    def copy(self, id: str, to: BinaryIO) -> None:
        with self._reading(id):
            _, kind, size, stream = self._reader().stream_object_data(id)
            _expect(kind, "blob")
            while size:
                piece = stream.read(min(size, _PIECE))
                if not piece:
                    raise ValueError("it is cut off")
                to.write(piece)
                size -= len(piece)

    def root(self, commit: str) -> str:
        """Id of the tree of everything at that commit."""
        tree = self.resolve(f"{commit}^{{tree}}", "tree")
        if tree is None:
            raise MirrorDamaged(f"commit {commit} is not there")
        return tree

    @property
    def boundary(self) -> str:
        """What tells one set of commits whose parents a shallow repository leaves out from another; "" for none."""
        with contextlib.suppress(FileNotFoundError):
            return sha256(b"".join(sorted((self._path / "shallow").read_bytes().splitlines()))).hexdigest()
        return ""

    def log(self, head: str, known: str | None) -> Iterator[Commit]:
        """The commits reachable from `head` and not from `known`, parents first."""
        since = [f"^{known}"] if known else []
        pieces = self._output("log", "--topo-order", "--reverse", "--format=%H %ct %P", head, *since, "--")
        for line in _split(pieces, b"\n"):
            id, date, *parents = line.decode("ascii").split()
            yield Commit(id, int(date), tuple(parents))

    def differences(self, commits: Iterable[str], paths: Iterable[str]) -> Iterator[bytes]:
        """Each commit, and how it differs from each parent in those paths, in pieces as git writes them.

        For any thread.
        """
        options = ("--stdin", "-m", "--root", "-r", "-t", "--raw", "-z", "--no-abbrev", "--no-renames")
        with open(os.memfd_create("commits"), "w+b") as asked:
            asked.writelines(f"{commit}\n".encode() for commit in commits)
            asked.seek(0)
            yield from self._output("--literal-pathspecs", "diff-tree", *options, "--", *paths, asked=asked)

    def patch(self, before: str, after: str, paths: Iterable[str]) -> Generator[bytes, None, None]:
        """How two commits differ in those paths, for people, in pieces; of large files no more than that they do."""
        options = ("-r", "-p", "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames")
        bounds = ("-c", "core.bigFileThreshold=512k", "-c", "diff.renameLimit=200")
        yield from self._output("--literal-pathspecs", *bounds, "diff-tree", *options, before, after, "--", *paths)

    def git(self, *arguments: str) -> bytes:
        """What a git that only reads, or only changes refs, writes to its output."""
        try:
            done = self._reader().execute(["git", *arguments], stdout_as_string=False, strip_newline_in_stdout=False)
        except (GitError, OSError) as error:
            raise MirrorDamaged(_one_line(error)) from error
        assert isinstance(done, bytes)
        return done

    def setting(self, blob: str, key: str) -> str:
        """The value of that key in a blob of git's configuration; "" for none. Raises ValueError for another blob."""
        command = ["git", "config", "--null", "--no-includes", "--blob", blob, "--get", key]
        status, value, said = self._reader().execute(command, with_exceptions=False, with_extended_output=True)
        if status not in (0, 1) or (status and said):
            raise ValueError(_text(said))
        return str(value).partition("\0")[0]

    def close(self) -> None:
        if self._git is not None:
            self._git.clear_cache()
            self._git = None

    def _output(self, *arguments: str, asked: BinaryIO | None = None) -> Iterator[bytes]:
        """What a git that only reads writes to its output. Raises MirrorDamaged when that was not all."""
        process = self._start(arguments, asked)
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            while piece := os.read(process.stdout.fileno(), _PIECE):
                yield piece
            said = process.stderr.read()
            if process.wait() != 0:
                raise MirrorDamaged(f"git {arguments[0]}: {said.decode('utf-8', 'replace').strip()}")
        finally:
            process.kill()
            process.communicate()

    def _start(self, arguments: Sequence[str], asked: BinaryIO | None) -> subprocess.Popen[bytes]:
        try:
            running: Any = self._new().execute([*_BOUNDED, "git", *arguments], istream=asked, as_process=True)
        except (GitError, OSError) as error:
            raise MirrorDamaged(_one_line(error)) from error
        process, running.proc = running.proc, None  # else it would be ended as soon as nobody holds `running`
        assert isinstance(process, subprocess.Popen)
        return process

    def _whole(self, id: str, expected: str) -> bytes:
        with self._reading(id):
            _, kind, size, content = self._reader().get_object_data(id)
            _expect(kind, expected)
            if len(content) != size:
                raise ValueError("it is cut off")
            return content

    @contextlib.contextmanager
    def _reading(self, id: str) -> Iterator[None]:
        try:
            yield
        except (ValueError, BrokenPipeError) as error:
            # After a half-read answer the next one would be taken for the rest of it.
            self.close()
            raise MirrorDamaged(f"object {id}: {error}") from error

    def _reader(self) -> Git:
        if self._git is None:
            self._git = self._new()
        return self._git

    def _new(self) -> Git:
        git = _Git(self._path)
        git.update_environment(GIT_DIR=str(self._path), **quiet_environment())
        return git


def _split(pieces: Iterator[bytes], end: bytes) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(end)
        yield from whole


def _expect(kind: object, expected: str) -> None:
    if _text(kind) != expected:
        raise ValueError(f"it is a {_text(kind)}, not a {expected}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _text(answer: object) -> str:
    """GitPython declares str for what it leaves as bytes."""
    return answer.decode("ascii") if isinstance(answer, bytes) else str(answer)
