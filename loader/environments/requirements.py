"""A requirements file as its author wrote it, brought into one list that stays inside its release."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from core.errors import Heals, ReleaseFailed
from core.redaction import redact, secrets_in
from loader.environments.requirement_lines import MAX_BYTES, Unreadable, logical_lines
from loader.environments.requirement_options import NotUnderstood, split_options

MAX_FILES = 50
"""Requirements and constraints files that one release may be made of."""
MAX_LINES = 10_000
"""Of all of them."""

PACKAGES = "packages"
"""Folder beside the written files that packages of the release itself are copied to."""

_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*(?:\s*\[[^\]]*\])?\s*@\s*)?(.*)\Z")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_TAKEN_SCHEMES = ("https", "http", "git+https", "git+http", "git+ssh")
_PATH = re.compile(r"(file:)?(.*?)((?:\[[^\]]*\])?(?:\s*;.*)?)\Z")
_LOOKS_LOCAL = re.compile(r"[^;#]*[/\\]|\.|[^;#]*\.(whl|zip|tgz|tar\.\w+)\b|file:|\w+@[\w.-]+:")
_ARCHIVES = (".whl", ".zip", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")


@dataclass(frozen=True)
class Requirements:
    """What a release asks for: comments, line breaks and included files resolved, so equal values mean equal wishes."""

    lines: tuple[str, ...] = ()
    """Requirements and options as uv reads them. Packages of the release itself are named by their content, under
    `PACKAGES`."""
    constraints: tuple[str, ...] = ()
    prereleases: bool = False
    """Whether the author wrote `--pre`."""
    hashed: bool = False
    """Whether the author wrote `--require-hashes`."""
    trusted_hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """A requirements file as it was found in a release."""

    wanted: Requirements
    files: Mapping[str, Path] = field(default_factory=dict)
    """Where the release has the packages whose places under `PACKAGES` are the keys."""
    ignored: tuple[str, ...] = ()
    """Options that change nothing here."""

    @property
    def wishes(self) -> tuple[str, ...]:
        """The requirements without options, hashes and markers, for people to read."""
        plain = (re.split(r"\s+--|\s*;", line)[0] for line in self.wanted.lines)
        return tuple(line for line in plain if line and not line.startswith("-"))

    @property
    def addresses(self) -> tuple[str, ...]:
        """The lines that may hold a secret."""
        return tuple(line for line in (*self.wanted.lines, *self.wanted.constraints) if ":/" in line)


def read_requirements(path: Path, within: Path | None = None) -> Reading:
    """The requirements in the file `path`, which may refer to others in the folder `within` (default: its own).

    Raises ReleaseFailed for what reaches outside, and for what can't be honoured. Whether the rest makes sense is the
    resolver's to say.
    """
    reader = _Reader(path.parent, (within or path.parent).resolve())
    try:
        reader.read(path, "lines")
    except OSError as error:
        raise ReleaseFailed(f"{path.name}: {error}", stage="environment", heals=Heals.WITH_MACHINE) from error
    return reader.reading()


class _Reader:
    def __init__(self, folder: Path, within: Path) -> None:
        self._folder = folder
        """What paths are relative to that are not those of a requirements file, as for pip when it is run there."""
        self._within = within
        self._seen: set[tuple[Path, str]] = set()
        self._found: dict[str, list[str]] = {"lines": [], "constraints": []}
        self._lines = 0
        self._index = ""
        self._flags: set[str] = set()
        self._trusted: list[str] = []
        self._files: dict[str, Path] = {}

    def reading(self) -> Reading:
        wanted = Requirements(
            tuple(self._found["lines"]),
            tuple(self._found["constraints"]),
            "--pre" in self._flags,
            "--require-hashes" in self._flags,
            tuple(self._trusted),
        )
        return Reading(wanted, self._files, tuple(self._flags & {"--prefer-binary"}))

    def read(self, path: Path, kind: str) -> None:
        """Add what is in the file; `kind` says to which list."""
        if (path.resolve(), kind) in self._seen:
            return
        self._seen.add((path.resolve(), kind))
        if len(self._seen) > MAX_FILES:
            raise _failure(f"{path.name}: more than {MAX_FILES} files are included")
        try:
            for line in logical_lines(_content(path)):
                self._lines += 1
                if self._lines > MAX_LINES:
                    raise _failure(f"{path.name}: more than {MAX_LINES} lines")
                self._take(line, path, kind)
        except Unreadable as problem:
            raise _failure(f"{path.name} {problem}") from problem

    def _take(self, line: str, path: Path, kind: str) -> None:
        where = f"{path.name}: `{line}`"
        try:
            requirement, options = split_options(line)
        except NotUnderstood as problem:
            raise _failure(f"{where}: {problem}", line) from problem
        if requirement:
            hashes = "".join(f" {name}={value}" for name, value in options)
            self._found[kind].append(self._checked(requirement, path.parent, where) + hashes)
        else:
            for name, value in options:
                self._take_option(name, value, path.parent, kind, where)

    def _take_option(self, name: str, value: str, folder: Path, kind: str, where: str) -> None:
        if name in ("--requirement", "--constraint"):
            constrains = kind == "constraints" or name == "--constraint"
            self.read(self._inside(value, (folder,), where), "constraints" if constrains else "lines")
        elif name == "--editable" and value.startswith("git+"):  # as `pip freeze` writes it; nobody edits it here
            self._found[kind].append(self._checked(value, folder, where))
        elif name == "--editable":
            raise _failure(f"{where}: folders are not installed; put shared code into a folder of `uses`", where)
        elif name == "--index-url":
            self._take_index(value, where)
        elif name == "--find-links" and not _SCHEME.match(value):
            self._found["lines"].append(f"{name} {self._copied_folder(value, folder, where)}")
        elif name == "--trusted-host":
            self._trusted.append(value)
        elif name in ("--extra-index-url", "--find-links"):
            self._found["lines"].append(f"{name} {_remote(value, where)}")
        elif name in ("--no-binary", "--only-binary", "--no-index"):
            self._found["lines"].append(f"{name} {value}".strip())
        else:
            self._flags.add(name)

    def _take_index(self, value: str, where: str) -> None:
        if self._index and self._index != value:
            raise _failure(
                f"{where}: another --index-url was given before; name further ones by --extra-index-url", where
            )
        if not self._index:
            self._found["lines"].append(f"--index-url {_remote(value, where)}")
        self._index = value

    def _checked(self, requirement: str, folder: Path, where: str) -> str:
        named = _NAME.match(requirement)
        assert named is not None
        name, target = named[1] or "", named[2]
        if scheme := _SCHEME.match(target):
            if scheme[1].lower() not in _TAKEN_SCHEMES:
                taken = ", ".join(f"{scheme}://" for scheme in _TAKEN_SCHEMES)
                raise _failure(f"{where}: this kind of address is not taken; taken are {taken} and files here", where)
            return requirement
        if target.startswith("${"):
            return requirement
        if name or _LOOKS_LOCAL.match(target):
            return name + self._copied(target, folder, where)
        if "${" in requirement:
            raise _failure(f"{where}: variables are replaced in addresses only", where)
        return requirement

    def _copied(self, target: str, folder: Path, where: str) -> str:
        """Where a package of the release will lie for uv, by its content."""
        found = _PATH.match(target)
        assert found is not None
        written = unquote(found[2]) if found[1] else found[2]
        if not written.endswith(_ARCHIVES):
            raise _failure(
                f"{where}: folders are not installed; name a version in a package index, an https address or a file "
                "(a wheel, say), or put shared code into a folder of `uses`",
                where,
            )
        path = self._inside(written, (self._folder, folder), where)
        return f"./{self._place(path, _digest(path))}{found[3]}"

    def _copied_folder(self, value: str, folder: Path, where: str) -> str:
        root = self._inside(value.removeprefix("file:"), (folder, self._folder), where, folder=True)
        packages = sorted(path for path in root.iterdir() if path.name.endswith(_ARCHIVES) and path.is_file())
        digests = {path: _digest(self._inside(path.name, (root,), where)) for path in packages}
        listing = "\n".join(f"{path.name} {digest}" for path, digest in digests.items())
        digest = hashlib.sha256(listing.encode()).hexdigest()
        for path in packages:
            self._place(path, digest)
        return f"./{PACKAGES}/{digest[:32]}"

    def _place(self, path: Path, digest: str) -> str:
        place = f"{PACKAGES}/{digest[:32]}/{path.name}"
        self._files[place] = path
        return place

    def _inside(self, value: str, folders: tuple[Path, ...], where: str, *, folder: bool = False) -> Path:
        """The first that there is of `value` in one of the `folders`."""
        for path in (base / value for base in folders):
            if not path.resolve().is_relative_to(self._within):
                raise _failure(
                    f"{where}: this lies outside the folder; a release is made of that and of the folders it uses",
                    where,
                )
            with suppress(OSError):  # a name too long
                if path.is_dir() if folder else path.is_file():
                    return path
        raise _failure(f"{where}: there is no such {'folder' if folder else 'file'} in the release", where)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise _failure(f"{path.name} is a folder, and should be a file") from None


def _remote(value: str, where: str) -> str:
    if not re.match(r"(https?://|\$\{)", value, re.IGNORECASE):
        raise _failure(f"{where}: an index is an http or https address", where)
    return value.replace(" ", "%20")  # uv takes a line to end there


def _digest(path: Path) -> str:
    status = path.stat()
    return _digest_of(path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


@lru_cache(1024)
def _digest_of(path: Path, *_unchanged: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _failure(message: str, *secret: str) -> ReleaseFailed:
    """`secret`: what of the message may hold an address with a secret."""
    return ReleaseFailed(redact(message, secrets_in("".join(secret))), stage="environment")
