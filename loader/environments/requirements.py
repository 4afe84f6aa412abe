"""A requirements file as its author wrote it, brought into one list that stays inside its folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import ReleaseFailed

MAX_BYTES = 1 << 20
"""Of one requirements file; longer ones are refused."""

_FILES = {"-r": "lines", "--requirement": "lines", "-c": "constraints", "--constraint": "constraints"}
_PLACES = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links")
_FLAGS = ("--no-index", "--no-binary", "--only-binary", "--pre", "--prefer-binary")
_TAKEN = ", ".join((*_FILES, *_PLACES, *_FLAGS))

_COMMENT = re.compile(r"(^|\s)#.*$")
_CONTINUED = re.compile(r"\\\r?\n")
_OPTION = re.compile(r"(--[a-z-]+|-[a-z])[\s=]*(.*)\Z")
_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(@?)\s*(.*)\Z")
_REMOTE = re.compile(r"(https?|git\+https?|git\+ssh)://")
_LOCAL = re.compile(r"[^;#]*(/|\.whl\b|\.zip\b|\.tar\.)|\.")


@dataclass(frozen=True)
class Requirements:
    """What a release asks for: comments, line breaks and included files resolved, so equal values mean equal wishes."""

    lines: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    prereleases: bool = False
    """Whether the author wrote `--pre`."""

    @property
    def wishes(self) -> tuple[str, ...]:
        """The requirements without options, hashes and markers, for people to read."""
        plain = (re.split(r"\s+--|\s*;", line)[0] for line in self.lines)
        return tuple(line for line in plain if line and not line.startswith("-"))


def read_requirements(path: Path) -> Requirements:
    """The requirements in the file `path`.

    Raises ReleaseFailed for a line that reaches outside the file's folder, for local packages, and for options that
    can't be honoured. Whether the rest makes sense is the resolver's to say.
    """
    reader = _Reader(path.parent.resolve())
    reader.read(path, "lines")
    return Requirements(tuple(reader.found["lines"]), tuple(reader.found["constraints"]), reader.prereleases)


class _Reader:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[tuple[Path, str]] = set()
        self.found: dict[str, list[str]] = {"lines": [], "constraints": []}
        self.prereleases = False

    def read(self, path: Path, kind: str) -> None:
        """Add what is in the file; `kind` says to which list."""
        if (path.resolve(), kind) in self._seen:
            return
        self._seen.add((path.resolve(), kind))
        for line in _logical_lines(path):
            where = f"{path.name}: `{line}`"
            if option := _OPTION.match(line):
                self._take_option(option[1], option[2], line, path.parent, kind, where)
            else:
                _check_requirement(line, where)
                self.found[kind].append(line)

    def _take_option(self, name: str, value: str, line: str, folder: Path, kind: str, where: str) -> None:
        if name in _FILES:
            self.read(self._inside(folder / value, where), "constraints" if kind == "constraints" else _FILES[name])
        elif name in ("-e", "--editable"):
            raise _failure(f"{where}: packages from a path are not installed; put shared code into a folder of `uses`")
        elif name not in (*_PLACES, *_FLAGS):
            raise _failure(f"{where}: this option is not taken; taken are {_TAKEN}")
        elif name in _PLACES and not _REMOTE.match(value):
            raise _failure(f"{where}: packages come from an http or https address only")
        elif name == "--pre":
            self.prereleases = True
        elif name != "--prefer-binary":  # the resolver does so anyway, and knows no such option
            self.found[kind].append(line)

    def _inside(self, path: Path, where: str) -> Path:
        if not path.resolve().is_relative_to(self._folder):
            raise _failure(f"{where}: the file lies outside the folder; a release is made of its own folder alone")
        if not path.is_file():
            raise _failure(f"{where}: there is no such file")
        return path


def _logical_lines(path: Path) -> Iterator[str]:
    for line in _CONTINUED.sub(" ", _text(path)).splitlines():
        if plain := _COMMENT.sub("", line).strip():
            yield " ".join(plain.split())


def _text(path: Path) -> str:
    if path.stat().st_size > MAX_BYTES:
        raise _failure(f"{path.name}: longer than {MAX_BYTES} bytes")
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _failure(f"{path.name} is not UTF-8: {error}") from error


def _check_requirement(line: str, where: str) -> None:
    named = _NAME.match(line)
    is_url = named is not None and named[2] == "@"
    target = named[3] if named is not None and is_url else line
    if not _REMOTE.match(target) and (is_url or _LOCAL.match(target)):
        raise _failure(
            f"{where}: packages from a path are not installed; name a version in a package index, or an https address"
        )


def _failure(message: str) -> ReleaseFailed:
    return ReleaseFailed(message, stage="environment")
