"""The bare mirror of the followed repository: the one module that runs git."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from git.cmd import Git
from git.exc import GitError

from core.errors import SourceError
from loader.complaint import explain, is_damage, is_locked
from loader.objects import Commit, Entry, MirrorDamaged, parse_tree
from loader.remote import Remote
from loader.transport import Transport, quiet_environment

log = logging.getLogger(__name__)


class Mirror:
    """A bare repository at `path` that holds one ref: the head of what `remote` says to follow.

    Never shallow, since versions count commits. It can be lost at any time: it is fetched again.
    """

    def __init__(self, path: Path, remote: Remote, run: Path) -> None:
        self._path = path
        self._remote = remote
        self._transport = Transport(remote, run)
        followed = sha256(f"{remote.address.url}\0{remote.branch}".encode()).hexdigest()[:16]
        # Named by what it follows: after a change of gitPath or gitBranch, nothing of the old is taken for the new.
        self._ref = f"refs/pawl/{followed}"
        self._fetching: subprocess.Popen[bytes] | None = None
        self._moves = 0
        self._rebuilt_at = float("-inf")
        self.objects = MirrorObjects(path)
        """The reader of the thread that fetches."""

    def fetch(self) -> str:
        """Bring the mirror up to date; returns the head's commit. Raises SourceError."""
        before = self._head_if_sound()
        try:
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
        if time.monotonic() - self._rebuilt_at < _REBUILD_PAUSE_S:
            raise SourceError(
                f"{self._path} is damaged ({damage}) and was fetched anew already; it is tried again later"
            )
        self._rebuilt_at = time.monotonic()
        log.warning("%s is damaged (%s): fetching all of it again", self._path, damage)
        aside = self._path.with_name(f".{self._path.name}.new")
        _remove(aside)
        try:
            self._fetch_into(aside)
        except MirrorDamaged as again:
            raise SourceError(explain(str(again), self._remote)) from again
        self.objects.close()
        self._keep_lfs(aside)
        _remove(self._path)
        aside.rename(self._path)
        try:
            return self._fetched(None)
        except MirrorDamaged as again:
            raise SourceError(f"{self._path} can't be read, not even fetched anew: {again}") from again

    def close(self) -> None:
        """End a fetch that is under way, and the processes that read objects."""
        if self._fetching is not None:
            _kill(self._fetching)
        self.objects.close()

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

    def _fetch_into(self, path: Path) -> None:
        _prepare(path)
        wanted = f"refs/heads/{self._remote.branch}" if self._remote.branch else "HEAD"
        arguments = ["--force", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet", "--"]
        command = ["fetch", *arguments, self._remote.address.url, f"+{wanted}:{self._ref}"]
        try:
            self._run(path, command)
        except _Refused as refused:
            if not is_locked(refused.said):
                raise self._failure(refused.said) from refused
            _sweep(path)
            self._run_once_more(path, command)

    def _run_once_more(self, path: Path, command: Sequence[str]) -> None:
        try:
            self._run(path, command)
        except _Refused as refused:
            raise self._failure(refused.said) from refused

    def _failure(self, said: str) -> Exception:
        return (
            MirrorDamaged(self._remote.scrub(said.strip()))
            if is_damage(said)
            else SourceError(explain(said, self._remote))
        )

    def _run(self, path: Path, command: Sequence[str]) -> None:
        """Run a git that talks to the remote, within the budgets."""
        with self._transport.login() as (options, descriptors):
            process = _start(path, [*_CALM, *options, *command], self._transport.environment(), descriptors)
        self._fetching = process
        try:
            said = self._watch(path, process)
        finally:
            _kill(process)
            self._fetching = None
        if process.returncode != 0:
            raise _Refused(said)

    def _watch(self, path: Path, process: subprocess.Popen[bytes]) -> str:
        """What the process says to its end, which comes soon when it takes too long or too much."""
        said = bytearray()
        end = time.monotonic() + self._remote.fetch_timeout_s
        for piece in _output(process, end):
            said[:] = (said + piece)[-_MOST_SAID:]
            if not piece and _bytes_in(path / "objects") > self._remote.max_bytes:
                self._stop(path, process)
                raise SourceError(self._too_large())
        if process.poll() is None:
            self._stop(path, process)
            raise SourceError(self._too_slow())
        return said.decode("utf-8", "replace")

    def _stop(self, path: Path, process: subprocess.Popen[bytes]) -> None:
        _kill(process)
        _sweep(path)

    def _too_large(self) -> str:
        return (
            f"{self._remote.address.url}: the mirror would take more than {self._remote.max_bytes / 1e6:,.0f} MB; "
            "raise FETCH_MAX_MB, or take large files out of the repository's history"
        )

    def _too_slow(self) -> str:
        return (
            f"{self._remote.address.url}: the fetch timed out after {self._remote.fetch_timeout_s:g} s; "
            "check the network, or raise FETCH_TIMEOUT_S"
        )

    def _forget_others(self) -> None:
        """Drop the refs of what was followed before, so that its objects can go in time."""
        for ref in self.objects.git("for-each-ref", "--format=%(refname)", "refs/").decode().split():
            if ref != self._ref:
                self.objects.git("update-ref", "-d", ref)

    def _tidy(self) -> None:
        """Every now and then, let git pack what has come; it does nothing unless there is much."""
        self._moves += 1
        if self._moves % _MOVES_BETWEEN_TIDYING:
            return
        process = _start(self._path, [*_CALM, "-c", "gc.auto=2000", "gc", "--auto", "--quiet"], quiet_environment(), ())
        try:
            for _ in _output(process, time.monotonic() + _TIDYING_S):
                pass
        finally:
            self._stop(self._path, process)
            self.objects.close()

    def _keep_lfs(self, aside: Path) -> None:
        with contextlib.suppress(OSError):
            (self._path / "lfs").rename(aside / "lfs")


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
            raise MirrorDamaged(" ".join(str(error).split())) from error
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


class _Refused(Exception):
    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


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
_TICK_S = 0.25
_PIECE = 1 << 20
_MOST_SAID = 16_384
_MOVES_BETWEEN_TIDYING = 50
_TIDYING_S = 60.0
_REBUILD_PAUSE_S = 600.0


def _start(
    path: Path, command: Sequence[str], environment: dict[str, str], descriptors: Sequence[int]
) -> subprocess.Popen[bytes]:
    """A git in a process group of its own, so that what it starts can be ended with it."""
    git = Git(path)
    running = git.execute(
        ["git", *command],
        as_process=True,
        with_stdout=False,
        env=environment | {"GIT_DIR": str(path)},
        start_new_session=True,
        pass_fds=tuple(descriptors),
    )
    process = running.proc
    assert process is not None
    running.proc = None
    return process


def _output(process: subprocess.Popen[bytes], end: float) -> Iterator[bytes]:
    """What the process writes to its standard error until it ends or its time does; b"" at every tick."""
    assert process.stderr is not None
    descriptor = process.stderr.fileno()
    ready = select.poll()
    ready.register(descriptor, select.POLLIN)
    while (left := end - time.monotonic()) > 0:
        if ready.poll(min(left, _TICK_S) * 1000):
            piece = os.read(descriptor, 65536)
            if not piece:
                break
            yield piece
        elif process.poll() is None:
            yield b""
        else:
            # A connection that ssh keeps for later holds the pipe open after git has gone.
            return
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, end - time.monotonic()))


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stderr is not None:
        process.stderr.close()


def _prepare(path: Path) -> None:
    """An empty mirror at `path`, unless there is one."""
    if (path / "HEAD").is_file():
        return
    _remove(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.empty")
    _remove(aside)
    Git(path.parent).execute(["git", "init", "--quiet", "--bare", "--template=", str(aside)], env=quiet_environment())
    aside.rename(path)


def _sweep(path: Path) -> None:
    """Remove what a killed git leaves: locks, and packs that never came to their end. No git runs here now."""
    left_over = ("*.lock", "refs/**/*.lock", "objects/**/*.lock", "objects/**/tmp_*", "gc.pid")
    for pattern in left_over:
        for file in path.glob(pattern):
            with contextlib.suppress(OSError):
                _remove(file) if file.is_dir() else file.unlink()


def _bytes_in(folder: Path) -> int:
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(where, name)).st_size
    return total


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)


def _expect(kind: object, expected: str) -> None:
    if _text(kind) != expected:
        raise ValueError(f"it is a {_text(kind)}, not a {expected}")


def _text(answer: object) -> str:
    """GitPython declares str for what it leaves as bytes."""
    return answer.decode("ascii") if isinstance(answer, bytes) else str(answer)
