"""Datasets in object stores: a file, or all that is under a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from core.errors import PawlError
from loader.artifacts.datasets.source import CHANGED, LOOK_S, DatasetFailure, DatasetState, Fetched, Room
from loader.artifacts.files.deadlines import Deadlines, Late
from loader.artifacts.files.object_stores import connect, list_folder
from loader.artifacts.manifest import is_plain

T = TypeVar("T")


@dataclass(frozen=True)
class _Found:
    store: Any
    files: Mapping[str, Any]
    """`pyarrow.fs.FileInfo` by name, sorted."""
    is_folder: bool


class StoredDataset:
    """What is at an address of S3, Google Cloud Storage or Azure. `timeout_s`: in which all of it must have come."""

    def __init__(self, address: str, timeout_s: float, deadlines: Deadlines) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._deadlines = deadlines
        self._failure = DatasetFailure(address)

    def state(self) -> DatasetState:
        return self._run(lambda: self._state(self._found()), min(self._timeout_s, LOOK_S))

    def download(self, into: Path, room: Room) -> Fetched:
        return self._run(lambda: self._download(into, room), self._timeout_s)

    def _download(self, into: Path, room: Room) -> Fetched:
        found = self._found()
        before = self._state(found)
        room(before.size or 0)
        for name, info in found.files.items():
            self._get(found.store, info, into / name)
        if self._state(self._found()) != before:
            raise self._failure.for_now(CHANGED)
        return Fetched(before, "" if found.is_folder else next(iter(found.files)))

    def _found(self) -> _Found:
        store, path = connect(self._address)
        info = store.get_file_info(path)
        if info.is_file:
            name = info.base_name if is_plain(info.base_name) else "dataset"
            return _Found(store, {name: info}, is_folder=False)
        files = {one.path[len(path) + 1 :]: one for one in list_folder(store, path) if one.is_file}
        if not files:
            raise self._failure.never("is not there; see to the address in model.yaml")
        if len(files) > _MOST_FILES:
            raise self._failure.never(f"holds more than {_MOST_FILES:,} files; pack them into fewer")
        if odd := [name for name in files if not is_plain(name)]:
            raise self._failure.never(f"holds {odd[0]!r}, a name that not every disk takes; rename it")
        return _Found(store, dict(sorted(files.items())), is_folder=True)

    def _state(self, found: _Found) -> DatasetState:
        files = found.files
        with ThreadPoolExecutor(min(_AT_ONCE, len(files))) as threads:
            versions = list(threads.map(lambda info: _version(found.store, info), files.values()))
        size = sum(info.size for info in files.values())
        if not found.is_folder:
            return DatasetState(versions[0], size)
        lines = (f"{name} {files[name].size} {version}\n" for name, version in zip(files, versions, strict=True))
        return DatasetState(sha256("".join(lines).encode()).hexdigest(), size)

    def _get(self, files: Any, info: Any, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with files.open_input_stream(info.path, compression=None) as stream, open(target, "xb") as out:
            while piece := stream.read(_PIECE):
                out.write(piece)

    def _run(self, work: Callable[[], T], seconds: float) -> T:
        try:
            return self._deadlines.run(work, seconds)
        except PawlError:
            raise
        except Late as error:
            raise self._failure.for_now(
                f"did not come: {error}; see to the store, or raise DATASET_TIMEOUT_S"
            ) from error
        except FileNotFoundError as error:
            raise self._failure.never("is not there; see to the address in model.yaml") from error
        except ValueError as error:
            raise self._failure.never(f"is not a valid address: {error}; correct it in model.yaml") from error
        except Exception as error:
            text = str(error)
            if any(word in text.upper().replace(" ", "_") for word in _DENIALS):
                raise self._failure.never(f"may not be read: {text}; let the server's login read it") from error
            raise self._failure.for_now(f"could not be read: {text}; see to the store and the network") from error


_MOST_FILES = 10_000
_AT_ONCE = 16
_PIECE = 1 << 20
_DENIALS = ("ACCESS_DENIED", "FORBIDDEN", "PERMISSION_DENIED", "UNAUTHORIZED", "AUTHORIZATION")
_VERSIONS = ("VersionId", "generation", "ETag", "etag")
"""In the words of the stores, the most exact first."""


def _version(files: Any, info: Any) -> str:
    with files.open_input_stream(info.path, compression=None) as stream:
        told = stream.metadata()
    versions = (told.get(name, b"").decode("utf-8", "replace") for name in _VERSIONS)
    return next((one for one in versions if one not in ("", "null")), str(info.mtime_ns))
