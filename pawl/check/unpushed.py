"""What of a folder, as it lies on disk, git would not push: what is checked is then not what the server gets."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from loader.sources.local.ignored import is_ignored

MOST = 20
"""Files that are told."""
_PATIENCE_S = 30.0
_OF_A_HOOK = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY"}
)
"""What git sets for its hooks; relative to a folder that isn't the one looked at here."""
_STATES = {"!!": "ignored by git", "??": "not added to git", "A": "not committed", "D": "deleted here, not in git"}
_SUBMODULE = "160000"


class Unpushed(msgspec.Struct, frozen=True):
    """A file or a folder, from the folder that holds the model's."""

    path: str
    why: str


def unpushed(folders: Path, names: Iterable[str]) -> tuple[Unpushed, ...]:
    """Of the files and folders `names` in `folders`; nothing outside of a git repository, or where git can't tell."""
    there = [name for name in names if (folders / name).exists()]
    try:
        top = _git(folders, "rev-parse", "--show-prefix").decode(errors="replace").rstrip("\n")
        found = {path.removeprefix(top): why for path, why in _changed(folders, there)}
        found = {**dict(_filtered(folders, there)), **found}
    except (OSError, subprocess.SubprocessError):
        return ()
    empty = {path: "an empty folder, which git doesn't carry" for name in there for path in _empty(folders, name)}
    return tuple(Unpushed(path, why) for path, why in sorted({**empty, **found}.items()) if not _is_left_out(path))


def _changed(folders: Path, names: list[str]) -> Iterator[tuple[str, str]]:
    """By path from the repository's top."""
    told = ("--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignored=matching")
    for entry in _split(_git(folders, "status", *told, "--", *names)):
        state = entry[:2]
        yield entry[3:], _STATES.get(state) or _STATES.get(state.strip()[:1]) or "not committed as it is here"


def _filtered(folders: Path, names: list[str]) -> Iterator[tuple[str, str]]:
    """Submodules, and files of which git keeps something other than what is on disk."""
    paths = []
    for entry in _split(_git(folders, "ls-files", "--stage", "-z", "--", *names)):
        about, _, path = entry.partition("\t")
        if about.startswith(_SUBMODULE):
            yield path, "a submodule, which the server refuses"
        else:
            paths.append(path)
    asked = "\0".join(paths).encode(errors="surrogateescape")
    told = _split(_git(folders, "check-attr", "-z", "--stdin", "filter", stdin=asked))
    for path, filter in zip(told[::3], told[2::3], strict=True):
        if filter == "lfs" and _is_pointer(folders / path):
            yield path, "only the pointer to a file in Git LFS here; git lfs pull gets the file"
        elif filter not in ("lfs", "unspecified", "unset", "set"):
            yield path, f"kept otherwise by git's filter {filter!r}; the server gets what git keeps"


def _is_pointer(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(64).startswith(b"version https://git-lfs.github.com/spec/")
    except OSError:
        return False


def _empty(folders: Path, name: str) -> Iterator[str]:
    for folder, inside, files in os.walk(folders / name):
        inside[:] = [one for one in inside if not is_ignored(one)]
        if not inside and not files:
            yield os.path.relpath(folder, folders) + "/"


def _is_left_out(path: str) -> bool:
    """By the check as well, so that nobody is misled."""
    return any(is_ignored(part) for part in path.rstrip("/").split("/"))


def _split(output: bytes) -> list[str]:
    return os.fsdecode(output).split("\0")[:-1]


def _git(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Its output. Raises OSError or SubprocessError: there is no git, or no repository that it will read."""
    kept = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    return subprocess.run(
        ["git", "--literal-pathspecs", *arguments],
        cwd=folder,
        env={**kept, "GIT_OPTIONAL_LOCKS": "0"},
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_PATIENCE_S,
        check=True,
    ).stdout
