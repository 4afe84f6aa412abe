"""How the files of two releases on disk differ, where no git can say it."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

from loader.files.file_list import Recorded, read_file_list
from loader.sources.past import Patch

_MOST_BYTES = 128 * 1024
_MOST_LINES = 2_000
"""Of one file that is compared line by line, which takes time by their product."""


def folder_patch(before: Path, after: Path, most: int) -> Patch | None:
    """None where one of them is not on disk any more."""
    old, new = read_file_list(before), read_file_list(after)
    if not old or not new:
        return None
    found, size = [], 0
    for name in sorted({*old, *new}):
        for line in _file_patch(name, before, old.get(name), after, new.get(name)):
            found.append(line)
            size += len(line)
            if size > most:
                return Patch("".join(found)[:most], is_cut=True)
    return Patch("".join(found))


def _file_patch(name: str, before: Path, old: Recorded | None, after: Path, new: Recorded | None) -> Iterator[str]:
    if old == new:
        return
    yield f"diff --git a/{name} b/{name}\n"
    lines = _lines(before / name, old), _lines(after / name, new)
    if lines[0] is None or lines[1] is None:
        yield f"Binary files a/{name} and b/{name} differ\n"
        return
    names = "/dev/null" if old is None else f"a/{name}", "/dev/null" if new is None else f"b/{name}"
    for line in unified_diff(lines[0], lines[1], *names):
        yield line if line.endswith("\n") else f"{line}\n"


def _lines(path: Path, file: Recorded | None) -> list[str] | None:
    """None for what is not a short text, or is gone."""
    if file is None:
        return []
    if file.size > _MOST_BYTES:
        return None
    try:
        lines = path.read_text("utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError):
        return None
    return lines if len(lines) <= _MOST_LINES else None
