"""Lays an artifact's files over a revision's, in a release that is being built."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from core.errors import ReleaseFailed
from loader.files.checkout import seal
from loader.files.file_list import Blob, Held, Recorded, held_beside, read_file_list, sha256_of, write_file_list

_PLAIN = "100644"


def lay_over(root: Path, model: str, artifact: Path) -> None:
    """Move the artifact's files into the model's folder of the release at `root`, which ends up read-only and on disk.

    A name that both have is the artifact's. What an earlier release beside `root` holds already is hard-linked. Raises
    ReleaseFailed for an artifact that holds something other than files and folders.
    """
    files = {path: sha256_of(artifact / path) for path in _files(artifact)}
    earlier = held_beside(root, {_blob(digest) for digest in files.values()})
    for where, _, _ in os.walk(root):
        os.chmod(where, 0o755)
    record = dict(read_file_list(root))
    for path, digest in files.items():
        for hidden in _make_way(root, f"{model}/{path}", record):
            del record[hidden]
        record[f"{model}/{path}"] = _put(artifact / path, root / model / path, digest, earlier)
    write_file_list(root, record)
    seal(root)


def _files(artifact: Path) -> Iterator[str]:
    for where, folders, names in os.walk(artifact):
        for name in (*names, *(folder for folder in folders if os.path.islink(os.path.join(where, folder)))):
            path = Path(where, name)
            if path.is_symlink() or not path.is_file():
                raise ReleaseFailed(
                    f"{path.relative_to(artifact)} in the artifact is not a regular file; leave files in `output`",
                    stage="checkout",
                )
            yield str(path.relative_to(artifact))


def _make_way(root: Path, path: str, record: dict[str, Recorded]) -> list[str]:
    """Remove what is at the path, or is a file where the path has a folder; the recorded files that have gone."""
    for above in (*reversed(Path(path).parents[:-2]), Path(path)):
        at = root / above
        if at.is_symlink() or at.is_file():
            at.unlink()
        elif at.is_dir() and above == Path(path):
            shutil.rmtree(at)
        else:
            continue
        return [name for name in record if name == str(above) or name.startswith(f"{above}/")]
    return []


def _put(source: Path, target: Path, digest: str, earlier: dict[Blob, Held]) -> Recorded:
    target.parent.mkdir(parents=True, exist_ok=True)
    mode, blob = _blob(digest)
    if held := earlier.get((mode, blob)):
        with contextlib.suppress(OSError):
            os.link(held.path, target)
            return Recorded(mode, blob, held.size, held.sha256)
    source.rename(target)
    if target.stat().st_mode & 0o777 != 0o444:  # else it may be a link to the store's own
        target.chmod(0o644)
    return Recorded(mode, blob, target.stat().st_size, digest)


def _blob(digest: str) -> Blob:
    return _PLAIN, f"sha256:{digest}"
