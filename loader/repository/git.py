"""Git, as it runs in the bare mirror: the one module that calls it."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from git.cmd import Git
from git.exc import GitCommandNotFound, GitError

from core.errors import SourceError
from loader.files.objects import Commit, Entry, MirrorDamaged, parse_tree
from loader.repository.bounded import remove
from loader.repository.transport import quiet_environment

_CALM = (
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    "-c",
    "gc.autoDetach=false",
)
_PIECE = 1 << 20


def prepare(path: Path) -> None:
    """An empty mirror at `path`, unless there is one."""
    if (path / "HEAD").is_file():
        return
    remove(path)
    aside = path.with_name(f".{path.name}.empty")
    remove(aside)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        init = ["git", "init", "--quiet", "--bare", "--template=", str(aside)]
        Git(path.parent).execute(init, env=quiet_environment() | {"GIT_DIR": str(aside)})
        aside.rename(path)
    except (OSError, GitError) as error:
        raise SourceError(f"{path} can't be made: {_one_line(error)}; check DATA_DIR and git") from error


def start(
    path: Path, command: Sequence[str], environment: dict[str, str], descriptors: Sequence[int]
) -> subprocess.Popen[bytes]:
    """A git in a process group of its own, so that what it starts can be ended with it."""
    git = Git(path)
    try:
        running = git.execute(
            ["git", *_CALM, *command],
            as_process=True,
            with_stdout=False,
            env=environment | {"GIT_DIR": str(path)},
            start_new_session=True,
            pass_fds=tuple(descriptors),
        )
    except GitCommandNotFound as error:
        raise SourceError("the git program is not there; install git") from error
    process = running.proc
    assert process is not None
    running.proc = None
    return process


class MirrorObjects:
    """Reads objects, through git processes that stay. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._git: Git | None = None

    def resolve(self, ref: str) -> str | None:
        """The commit that `ref` is at; None when there is no such ref."""
        try:
            id, kind, _ = self._reader().get_object_header(ref)
        except (ValueError, OSError) as error:
            self.close()
            if "could not be resolved" in str(error):
                return None
            raise MirrorDamaged(str(error)) from error
        if _text(kind) != "commit":
            raise MirrorDamaged(f"{ref} is a {_text(kind)}, not a commit")
        return _text(id)

    def tree(self, id: str) -> tuple[Entry, ...]:
        try:
            return tuple(parse_tree(self._whole(id, "tree")))
        except ValueError as error:
            raise MirrorDamaged(f"tree {id}: {error}") from error

    def blob(self, id: str) -> bytes:
        return self._whole(id, "blob")

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

    def log(self, head: str, known: str | None) -> list[Commit]:
        """The commits reachable from `head` and not from `known`, parents first."""
        since = [f"^{known}"] if known else []
        lines = self.git("log", "--topo-order", "--reverse", "--format=%H %ct %T %P", head, *since, "--").decode(
            "ascii"
        )
        fields = (line.split(" ") for line in lines.splitlines())
        return [Commit(id, int(date), tree, tuple(filter(None, parents))) for id, date, tree, *parents in fields]

    def git(self, *arguments: str) -> bytes:
        """What a git that only reads, or only changes refs, writes to its output."""
        try:
            done = self._reader().execute(["git", *arguments], stdout_as_string=False, strip_newline_in_stdout=False)
        except (GitError, OSError) as error:
            raise MirrorDamaged(_one_line(error)) from error
        assert isinstance(done, bytes)
        return done

    def close(self) -> None:
        if self._git is not None:
            self._git.clear_cache()
            self._git = None

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
            self._git = Git(self._path)
            self._git.update_environment(GIT_DIR=str(self._path), **quiet_environment())
        return self._git


def _expect(kind: object, expected: str) -> None:
    if _text(kind) != expected:
        raise ValueError(f"it is a {_text(kind)}, not a {expected}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _text(answer: object) -> str:
    """GitPython declares str for what it leaves as bytes."""
    return answer.decode("ascii") if isinstance(answer, bytes) else str(answer)
