"""The objects of a bare mirror: read through git processes that stay, or from the output of one that only reads."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Generator, Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from loader.files.git_objects import Commit, Entry, MirrorDamaged, parse_tree
from loader.sources.git.mirror.git import GitError, IsolatedGit, one_line
from loader.sources.git.mirror.git_environment import quiet_environment

_PIECE = 1 << 20
_BOUNDED = ("sh", "-c", 'ulimit -d 262144; exec "$@"', "sh")
"""In kilobytes, of what is not a file: to compare trees that hold each other many times over takes endless memory."""


class MirrorObjects:
    """Reads objects, through git processes that stay. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._git: IsolatedGit | None = None

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
            raise MirrorDamaged(one_line(error)) from error
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
            raise MirrorDamaged(one_line(error)) from error
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

    def _reader(self) -> IsolatedGit:
        if self._git is None:
            self._git = self._new()
        return self._git

    def _new(self) -> IsolatedGit:
        git = IsolatedGit(self._path)
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


def _text(answer: object) -> str:
    """GitPython declares str for what it leaves as bytes."""
    return answer.decode("ascii") if isinstance(answer, bytes) else str(answer)
