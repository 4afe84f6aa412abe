"""A model's folder from a zip that anybody may have made."""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from core.errors import PawlError
from server.uploads.file_names import colliding, is_of_git

_MOST_FILES = 10_000
_MOST_DEPTH = 32
_LONGEST_NAME = 255
_LONGEST_LIST = 8 << 20
_PIECE = 1 << 20
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\:]")
_LEFT_OUT = re.compile(r"(.*/)?(__MACOSX|__pycache__|\.DS_Store|\.git)(/.*)?", re.IGNORECASE | re.DOTALL)
"""What systems and Python leave in an archive, and what git keeps to itself."""


class ArchiveInvalid(PawlError):
    """The archive does not hold a model's folder; nothing of it was taken."""


def unpack(archive: Path, model: str, into: Path, most_bytes: int) -> None:
    """Write what the zip holds into the empty folder `into`, in at most so many bytes.

    All of it may be in one folder, of any name. Raises ArchiveInvalid, OSError.
    """
    try:
        with _Bounded(archive) as file, zipfile.ZipFile(file) as held:
            files = _files(held.infolist(), model, most_bytes)
            left = most_bytes
            for path, info in files.items():
                left -= _write(held, info, into / path, left)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:  # RuntimeError: encrypted
        raise ArchiveInvalid(f"the body is not a zip that can be read: {error}") from error


class _Bounded(io.FileIO):
    """A zip's list of files is read in one piece, and all of it becomes objects before the first can be looked at."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _LONGEST_LIST:
            raise ArchiveInvalid(f"the zip has a list of files of more than {_LONGEST_LIST // 2**20} MB")
        return super().read(size)


def _files(infos: Iterable[zipfile.ZipInfo], model: str, most_bytes: int) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """The files by their path in the model's folder."""
    files: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for info in infos:
        path = _path(info)
        if _LEFT_OUT.fullmatch(path.as_posix()) or info.is_dir():
            continue
        if path in files:
            raise ArchiveInvalid(f"the zip holds {_told(info)} twice")
        files[path] = info
        if len(files) > _MOST_FILES:
            raise ArchiveInvalid(f"the zip holds more than {_MOST_FILES:,} files")
    if not files:
        raise ArchiveInvalid(f"the zip holds no file; it takes the folder of {model}, or what is in it")
    if sum(info.file_size for info in files.values()) > most_bytes:
        raise ArchiveInvalid(f"the zip unfolds to more than {most_bytes // 2**20:,} MB (UPLOAD_MAX_MB)")
    if parents := {parent for path in files for parent in path.parents} & files.keys():
        raise ArchiveInvalid(f"the zip holds {min(parents)} both as a file and as a folder")
    if two := colliding(files):
        one, other = (repr(str(path)[:100]) for path in two)
        raise ArchiveInvalid(f"the zip holds {one} and {other}, which are one on Windows and macOS; rename one of them")
    return _without_one_folder(files)


def _without_one_folder(files: dict[PurePosixPath, zipfile.ZipInfo]) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """Zips are made of a folder as often as of what is in it."""
    tops = {path.parts[0] for path in files}
    if len(tops) > 1 or any(len(path.parts) == 1 for path in files):
        return files
    return {PurePosixPath(*path.parts[1:]): info for path, info in files.items()}


def _path(info: zipfile.ZipInfo) -> PurePosixPath:
    name, kind = info.orig_filename, stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ArchiveInvalid(f"the zip holds {_told(info)}, which is a link or a device; put the file itself there")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ArchiveInvalid(f"the zip holds {_told(info)}, which is packed by another method than deflate")
    parts = name.removesuffix("/").split("/")
    is_odd = any(part in ("", ".", "..") or len(part.encode()) > _LONGEST_NAME for part in parts)
    if is_odd or _FORBIDDEN.search(name) or len(parts) > _MOST_DEPTH:
        raise ArchiveInvalid(f"the zip holds {_told(info)}, which is not a path inside a folder")
    if any(is_of_git(part) and part.lower() != ".git" for part in parts):
        raise ArchiveInvalid(f"the zip holds {_told(info)}, which git takes for its own .git; rename it")
    return PurePosixPath(*parts)


def _write(held: zipfile.ZipFile, info: zipfile.ZipInfo, to: Path, most: int) -> int:
    """How many bytes it was: what the zip says of them need not be so."""
    size = 0
    to.parent.mkdir(parents=True, exist_ok=True)
    with held.open(info) as packed, to.open("xb") as file:
        while piece := packed.read(_PIECE):
            size += len(piece)
            if size > most:
                raise ArchiveInvalid(f"the zip unfolds to more than it says, or may, at {_told(info)}")
            file.write(piece)
    to.chmod(0o755 if info.external_attr >> 16 & 0o100 else 0o644)
    return size


def _told(info: zipfile.ZipInfo) -> str:
    return repr(info.orig_filename[:100])
