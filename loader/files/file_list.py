"""What was written of a release, kept beside its files: whether it is all there, and what of it another may share."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

import msgspec

from loader.files.git_objects import EXECUTABLE, LINK

FILE_LIST = ".files.json"


class Recorded(msgspec.Struct, frozen=True, array_like=True):
    """One file of a release on disk."""

    mode: str
    blob: str
    size: int
    """Bytes on disk."""
    sha256: str = ""
    """Of what was written; empty for a link."""


@dataclass(frozen=True)
class Held:
    """A read-only file that holds what was once written to it."""

    path: Path
    size: int
    sha256: str


Blob = tuple[str, str]
"""Mode and blob id."""


def write_file_list(root: Path, files: Mapping[str, Recorded]) -> None:
    (root / FILE_LIST).unlink(missing_ok=True)  # it is read-only, which holds for all but root
    (root / FILE_LIST).write_bytes(msgspec.json.encode(files))


def read_file_list(root: Path) -> Mapping[str, Recorded]:
    """What was written of the release at `root`; nothing where that can't be told."""
    try:
        return _DECODER.decode((root / FILE_LIST).read_bytes())
    except (OSError, msgspec.DecodeError):
        return {}


def is_whole(root: Path) -> bool:
    """Whether the release at `root` still has every file that was written there, as large as it was."""
    listed = read_file_list(root)
    return bool(listed) and all(
        (root / path).is_symlink() if file.mode == LINK else _looks_untouched(root / path, file)
        for path, file in listed.items()
    )


def held_beside(into: Path, wanted: Collection[Blob]) -> dict[Blob, Held]:
    """Which of the wanted blobs the complete releases beside `into` hold.

    A worker may have written to its own release: read-only files stop neither root nor the user whose they are. So
    what is to be shared is read.
    """
    found: dict[Blob, Held] = {}
    for release in _releases(into.parent):
        for path, file in read_file_list(release).items():
            blob = file.mode, file.blob
            if blob in wanted and blob not in found and _is_untouched(release / path, file):
                found[blob] = Held(release / path, file.size, file.sha256)
    return found


def sha256_of(path: Path) -> str:
    """Raises OSError."""
    with open(path, "rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _releases(release_store: Path) -> Iterator[Path]:
    return (path for path in sorted(release_store.iterdir()) if not path.name.startswith("."))


def _is_untouched(path: Path, file: Recorded) -> bool:
    with contextlib.suppress(OSError):
        return _looks_untouched(path, file) and sha256_of(path) == file.sha256
    return False


def _looks_untouched(path: Path, file: Recorded) -> bool:
    expected = 0o555 if file.mode == EXECUTABLE else 0o444
    with contextlib.suppress(OSError):
        found = path.lstat()
        return found.st_size == file.size and found.st_mode == 0o100000 | expected
    return False


_DECODER = msgspec.json.Decoder(dict[str, Recorded])
