"""What was fetched from elsewhere, by what it holds, with a bound: what was not used for longest goes first."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec

from core.errors import DatasetUnavailable, Heals
from core.folders import bytes_in
from loader.artifacts.datasets.source import DatasetState, Fetched, Room
from loader.artifacts.folder import Bounds, scan
from loader.artifacts.locked_paths import ASIDE, YOUNG_S, held, is_locked, locked_aside, remove_unless_held
from loader.artifacts.manifest import ArtifactManifest


class Cached(msgspec.Struct, frozen=True):
    """What is known of one content."""

    manifest: ArtifactManifest
    name: str
    """Of the only file; empty for a folder of them."""


@dataclass(frozen=True)
class Put:
    path: Path
    id: str
    """Of the content."""
    state: DatasetState


class DatasetCache:
    """`root`/content/<id>/files/…; several processes may use it at a time, and none sees a part of a dataset.

    What this object gave out stays as long as it isn't closed: a lock on each content says so to the others.
    """

    def __init__(self, root: Path, max_bytes: int, wait: Callable[[float], None] = time.sleep) -> None:
        self._root = root
        self._max_bytes = max_bytes
        self._wait = wait
        self._held: list[int] = []

    def take(self, key: str) -> Path | None:
        """What was put under the key, if it is still there and as it was."""
        try:
            id = (self._root / "known" / _hash(key)).read_text()
        except OSError:
            return None
        return self._hold(self._root / "content" / id)

    def put(self, write: Callable[[Path, Room], Fetched], key: Callable[[Fetched], str]) -> Put:
        """Let `write` lay a dataset into an empty folder, and note what it wrote under its key.

        Raises DatasetUnavailable, also where there is no room for it.
        """
        content = self._root / "content"
        try:
            content.mkdir(parents=True, exist_ok=True)
            self._tidy(content)
            with locked_aside(content) as aside:
                (aside / "files").mkdir()
                fetched = write(aside / "files", self._room(aside))
                manifest = scan(aside / "files", _NO_BOUNDS)
                self._settle(aside, Cached(manifest, fetched.name))
                path = content / manifest.id
                if (found := self._hold(path)) is None:
                    aside.rename(path)
                    found = self._hold(path)
                self._note(key(fetched), manifest.id)
        except OSError as error:
            raise DatasetUnavailable(
                f"{self._root} could not be written: {error.strerror or error}; see to the disk that holds DATA_DIR",
                heals=Heals.WITH_MACHINE,
            ) from error
        if found is None:
            raise DatasetUnavailable(f"{path} was removed at once; try again", heals=Heals.WITH_MACHINE)
        return Put(found, manifest.id, fetched.state)

    @contextmanager
    def alone(self, name: str, patience_s: float) -> Iterator[None]:
        """One at a time among all processes. Raises DatasetUnavailable when others take longer than that."""
        folder = self._root / "fetching"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder / _hash(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise DatasetUnavailable(
                f"{folder} could not be written: {error.strerror}; see to the disk that holds DATA_DIR",
                heals=Heals.WITH_MACHINE,
            ) from error
        try:
            self._lock(descriptor, patience_s)
            yield
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Give up what was given out."""
        while self._held:
            os.close(self._held.pop())

    def _lock(self, descriptor: int, patience_s: float) -> None:
        for _ in range(max(1, int(patience_s / _PAUSE_S))):
            if is_locked(descriptor):
                return
            self._wait(_PAUSE_S)
        raise DatasetUnavailable(
            f"another run has been fetching the same dataset for {patience_s:,.0f} s; see to its source",
            heals=Heals.WITH_MACHINE,
        )

    def _hold(self, path: Path) -> Path | None:
        """Locked, so that nobody removes it."""
        if (descriptor := held(path)) is None:
            return None
        if (cached := _untouched(path)) is None:
            os.close(descriptor)
            remove_unless_held(path)
            return None
        os.utime(path)
        self._held.append(descriptor)
        return path / "files" / cached.name

    def _room(self, aside: Path) -> Room:
        granted = 0

        def room(size: int) -> None:
            nonlocal granted
            if size > granted:
                granted = self._make_room(size, aside)

        return room

    def _make_room(self, needed: int, aside: Path) -> int:
        """How many bytes may be written before this is asked again."""
        if needed > self._max_bytes:
            raise DatasetUnavailable(
                f"the dataset has more than {self._max_bytes / 1e9:,g} GB; raise DATASET_CACHE_GB",
                heals=Heals.NEVER,
            )
        entries = sorted(_entries(self._root / "content", aside), key=lambda entry: entry[0])
        used = sum(size for _, size, _ in entries)
        for _, size, path in entries:
            if used + needed > self._max_bytes and remove_unless_held(path):
                used -= size
        if used + needed > self._max_bytes:
            raise DatasetUnavailable(
                f"other runs use {used / 1e9:,.1f} GB of the {self._max_bytes / 1e9:,g} that datasets may take; "
                "wait for them, or raise DATASET_CACHE_GB",
                heals=Heals.WITH_MACHINE,
            )
        return min(needed + _GRANT, self._max_bytes - used)

    def _settle(self, aside: Path, cached: Cached) -> None:
        """Read-only, and with a time that any change changes."""
        for entry in cached.manifest.files:
            with open(aside / "files" / entry.name, "rb") as file:
                os.fchmod(file.fileno(), 0o444)
                os.utime(file.fileno(), ns=(_TIME_NS, _TIME_NS))
                os.fsync(file.fileno())
        (aside / _RECORD).write_bytes(msgspec.json.encode(cached))

    def _note(self, key: str, id: str) -> None:
        known = self._root / "known"
        known.mkdir(exist_ok=True)
        descriptor, aside = tempfile.mkstemp(prefix=ASIDE, dir=known)
        with open(descriptor, "w") as file:
            file.write(id)
        os.rename(aside, known / _hash(key))

    def _tidy(self, content: Path) -> None:
        """Remove what killed processes left, and what leads to nothing."""
        for aside in content.glob(f"{ASIDE}*"):
            with suppress(OSError):
                if time.time() - aside.stat().st_mtime > YOUNG_S:
                    remove_unless_held(aside)
        for note in (self._root / "known").glob("*"):
            with suppress(OSError):
                if not (content / note.read_text()).exists() and time.time() - note.stat().st_mtime > YOUNG_S:
                    note.unlink()


_RECORD = "dataset.json"
_PAUSE_S = 0.2
_GRANT = 256_000_000
_TIME_NS = 946_684_800 * 10**9
"""The beginning of 2000."""
_NO_BOUNDS = Bounds(files=100_000, bytes=2**63, depth=64)
_DECODER = msgspec.json.Decoder(Cached)


def _entries(content: Path, but: Path) -> Iterator[tuple[float, int, Path]]:
    """When each was last used, its bytes, and where it is; what is being written too."""
    for path in content.iterdir():
        if path != but:
            with suppress(OSError):
                yield path.stat().st_mtime, bytes_in(path), path


def _untouched(path: Path) -> Cached | None:
    """What is there, where it is as it was written."""
    with suppress(OSError, msgspec.MsgspecError):
        cached = _DECODER.decode((path / _RECORD).read_bytes())
        found = ((path / "files" / entry.name).lstat() for entry in cached.manifest.files)
        expected = [(entry.size, _TIME_NS) for entry in cached.manifest.files]
        if [(one.st_size, one.st_mtime_ns) for one in found] == expected:
            return cached
    return None


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]
