"""The data that runs read: which it is, and where it lies on this machine."""

from __future__ import annotations

import posixpath
import ssl
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from core.errors import DatasetUnavailable, Heals
from loader.artifacts.datasets.cache import DatasetCache
from loader.artifacts.datasets.source import DatasetFailure, DatasetSource, DatasetState
from loader.artifacts.datasets.stored import StoredDataset
from loader.artifacts.files.deadlines import Deadlines
from loader.artifacts.files.object_stores import SCHEMES


class Datasets:
    """Datasets by their addresses: a path in a model's folder, or a URL, which is fetched once per content.

    What `fetch` gave stays where it is until `close`, or the end of the process. Every method blocks, and raises
    DatasetUnavailable.
    """

    def __init__(
        self, cache: Path, max_bytes: int, timeout_s: float = 3600.0, context: ssl.SSLContext | None = None
    ) -> None:
        self._cache = DatasetCache(cache, max_bytes)
        self._timeout_s = timeout_s
        self._context = context
        self._deadlines = Deadlines()

    def fingerprint(self, address: str, files: Mapping[str, str]) -> str:
        """What changes when the data does. `files`: the ids of the model's folder's files by path, as git gives them.

        Of an address that tells neither version nor date, all is fetched to see.
        """
        if not is_url(address):
            return fingerprint_of_path(address, files)
        source = self._source(address)
        state = source.state()
        return _fingerprint(state) if state.version else self._fetch(address, source, state)[1]

    def fetch(self, address: str, folder: Path, fingerprint: str = "") -> Path:
        """Where the data is: a file, or a folder of files. `folder`: the model's.

        `fingerprint`: what it was when the run was asked for, so that the run reads that, or nothing.
        """
        if not is_url(address):
            return path_in_folder(address, folder)
        source = self._source(address)
        path, found = self._fetch(address, source, source.state())
        if fingerprint not in ("", found):
            raise DatasetFailure(address).never(
                "has changed since the run was asked for; start a run of what is there now"
            )
        return path

    def close(self) -> None:
        self._cache.close()

    def _fetch(self, address: str, source: DatasetSource, state: DatasetState) -> tuple[Path, str]:
        """Where it is, and its fingerprint."""
        with self._cache.alone(address, self._timeout_s):
            if state.version and (path := self._cache.take(_key(address, state))) is not None:
                return path, _fingerprint(state)
            put = self._cache.put(source.download, lambda fetched: _key(address, fetched.state))
        return put.path, _fingerprint(put.state) if put.state.version else put.id

    def _source(self, address: str) -> DatasetSource:
        scheme = address.partition("://")[0].lower()
        if scheme == "https":
            # httpx takes a part of a second to import, and most models' data is in their folders.
            from loader.artifacts.datasets.web import WebDataset

            return WebDataset(address, self._timeout_s, self._context)
        if scheme in SCHEMES:
            return StoredDataset(address, self._timeout_s, self._deadlines)
        raise DatasetFailure(address).never(
            "is of a kind that is not read; datasets are in the folder, or at https, s3, gs or abfs"
        )


def is_url(address: str) -> bool:
    return "://" in address


def fingerprint_of_path(address: str, files: Mapping[str, str]) -> str:
    """Of a file, or a folder of files, in the model's folder. Raises DatasetUnavailable."""
    path = _checked(address)
    if path in files:
        return files[path]
    below = sorted((name, id) for name, id in files.items() if path == "." or name.startswith(f"{path}/"))
    if not below:
        raise _missing(address)
    return sha256("".join(f"{name} {id}\n" for name, id in below).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def path_in_folder(address: str, folder: Path) -> Path:
    """Raises DatasetUnavailable."""
    path = (folder / _checked(address)).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise _outside(address)
    if not path.exists():
        raise _missing(address)
    return path


def _checked(address: str) -> str:
    path = posixpath.normpath(address)
    if path.startswith(("/", "../")) or path == "..":
        raise _outside(address)
    return path


def _outside(address: str) -> DatasetUnavailable:
    return DatasetUnavailable(f"{address} is not in the model's folder; put it there", heals=Heals.NEVER)


def _missing(address: str) -> DatasetUnavailable:
    return DatasetUnavailable(f"there is no {address} in the model's folder; push it too", heals=Heals.NEVER)


def _fingerprint(state: DatasetState) -> str:
    return sha256(f"{state.version} {state.size}".encode()).hexdigest()[:32]


def _key(address: str, state: DatasetState) -> str:
    return f"{address}\n{state.version}\n{state.size}"
