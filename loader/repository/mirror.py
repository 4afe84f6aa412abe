"""The bare mirror of the followed repository: the one module that runs git."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from git.cmd import Git
from git.exc import GitCommandNotFound, GitError

from core.errors import SourceError
from loader.files.objects import Commit, Entry, MirrorDamaged, parse_tree
from loader.repository.bounded import close, output, remove, sweep
from loader.repository.complaint import explain
from loader.repository.fetch import Fetch
from loader.repository.remote import Remote
from loader.repository.transport import Transport, quiet_environment

log = logging.getLogger(__name__)


class Mirror:
    """A bare repository at `path` that holds one ref: the head of what `remote` says to follow.

    Never shallow, since versions count commits. It can be lost at any time: it is fetched again.
    """

    def __init__(self, path: Path, remote: Remote, run: Path) -> None:
        self._path = path
        self._remote = remote
        self._fetch = Fetch(remote, Transport(remote, run), _start)
        followed = sha256(f"{remote.address.url}\0{remote.branch}".encode()).hexdigest()[:16]
        # Named by what it follows: after a change of gitPath or gitBranch, nothing of the old is taken for the new.
        self._ref = f"refs/pawl/{followed}"
        self._moves = 0
        self._rebuilt_at = float("-inf")
        self._is_alone = False
        self._closed = False
        self.objects = MirrorObjects(path)
        """The reader of the thread that fetches."""

    def fetch(self) -> str:
        """Bring the mirror up to date; returns the head's commit. Raises SourceError."""
        try:
            before = self._head_if_sound()
            self._fetch_into(self._path)
            return self._fetched(before)
        except MirrorDamaged as damage:
            return self.rebuild(damage)

    def head(self, objects: MirrorObjects) -> str | None:
        """The head's commit as of the last fetch; None when there was none."""
        return objects.resolve(self._ref) if (self._path / "HEAD").is_file() else None

    @contextlib.contextmanager
    def reading(self) -> Iterator[MirrorObjects]:
        """A reader for one thread, while others have theirs."""
        objects = MirrorObjects(self._path)
        try:
            yield objects
        finally:
            objects.close()

    def rebuild(self, damage: MirrorDamaged) -> str:
        """Fetch everything again, aside, and put it in the damaged mirror's place. Raises SourceError."""
        if self._closed:
            raise SourceError(f"{self._path} was closed") from damage
        if time.monotonic() - self._rebuilt_at < _REBUILD_PAUSE_S:
            raise SourceError(f"{self._path} is damaged, and fetching it anew did not mend it: {damage}") from damage
        log.warning("%s is damaged (%s): fetching all of it again", self._path, damage)
        aside = self._path.with_name(f".{self._path.name}.new")
        remove(aside)
        try:
            self._fetch_into(aside)
            self._rebuilt_at = time.monotonic()
            self._replace(aside)
            return self._fetched(None)
        except MirrorDamaged as again:
            self._rebuilt_at = time.monotonic()
            raise SourceError(explain(str(again), self._remote)) from again

    def close(self) -> None:
        """End a fetch that is under way, and the processes that read objects."""
        self._closed = True
        self._fetch.stop()
        self.objects.close()

    def _fetch_into(self, path: Path) -> None:
        _prepare(path)
        self._fetch.run(path, self._ref)

    def _replace(self, aside: Path) -> None:
        self.objects.close()
        with contextlib.suppress(OSError):
            (self._path / "lfs").rename(aside / "lfs")
        remove(self._path)
        aside.rename(self._path)

    def _head_if_sound(self) -> str | None:
        with contextlib.suppress(MirrorDamaged):
            return self.head(self.objects)
        return None

    def _fetched(self, before: str | None) -> str:
        head = self.objects.resolve(self._ref)
        if head is None:
            raise MirrorDamaged("the ref that was just fetched can't be read")
        if head != before:
            self._forget_others()
            self._tidy()
        return head

    def _forget_others(self) -> None:
        """Drop the refs of what was followed before, so that its objects can go in time."""
        if self._is_alone:
            return
        self._is_alone = True
        for ref in self.objects.git("for-each-ref", "--format=%(refname)", "refs/").decode().split():
            if ref != self._ref:
                self.objects.git("update-ref", "-d", ref)

    def _tidy(self) -> None:
        """Every now and then, let git pack what has come; it does nothing unless there is much."""
        self._moves += 1
        if self._moves % _MOVES_BETWEEN_TIDYING:
            return
        process = _start(self._path, ["-c", "gc.auto=2000", "gc", "--auto", "--quiet"], quiet_environment(), ())
        try:
            for _ in output(process, time.monotonic() + _TIDYING_S, _TICK_S):
                pass
        finally:
            close(process)
            sweep(self._path)
            self.objects.close()


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
_TICK_S = 0.25
_MOVES_BETWEEN_TIDYING = 50
_TIDYING_S = 60.0
_REBUILD_PAUSE_S = 600.0


def _start(
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


def _prepare(path: Path) -> None:
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


def _expect(kind: object, expected: str) -> None:
    if _text(kind) != expected:
        raise ValueError(f"it is a {_text(kind)}, not a {expected}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _text(answer: object) -> str:
    """GitPython declares str for what it leaves as bytes."""
    return answer.decode("ascii") if isinstance(answer, bytes) else str(answer)
