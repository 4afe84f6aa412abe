"""A repository for one commit: it reads the mirror's objects, and what is made in it is nowhere else until pushed."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import SourceError
from loader.sources.changes import Change
from loader.sources.git.mirror.git import run
from loader.sources.git.mirror.layout import lay, remove
from loader.sources.git.mirror.mirror_objects import MirrorObjects


class ScratchRepository:
    def __init__(self, path: Path, mirror: Path) -> None:
        """Raises OSError."""
        lay(path)
        (path / "objects" / "info").mkdir()
        (path / "objects" / "info" / "alternates").write_text(f"{mirror / 'objects'}\n")
        if (mirror / "shallow").exists():
            shutil.copy(mirror / "shallow", path / "shallow")
        self.path = path
        self.objects = MirrorObjects(path)

    def commit(self, change: Change, segments: tuple[str, ...], head: str) -> str:
        """A commit on `head` with the change; `head` itself where that changes nothing. `segments`: where the model
        folders are. Raises SourceError."""
        folder = os.fsencode("/".join((*segments, change.model)))
        self._git("read-tree", head)
        entries = [*self._entries(change, folder, head)]
        self._git("update-index", "-z", "--index-info", stdin=b"".join(entries))
        self._check(folder, entries)
        tree = self._git("write-tree").decode().strip()
        if tree == self.objects.root(head):
            return head
        who = _plain(change.author) or "Pawl"
        names = {f"GIT_{role}_NAME": who for role in ("AUTHOR", "COMMITTER")}
        addresses = {f"GIT_{role}_EMAIL": f"{_local_part(who)}@{_DOMAIN}" for role in ("AUTHOR", "COMMITTER")}
        commit = self._git("commit-tree", tree, "-p", head, stdin=change.message.encode(), **names, **addresses)
        return commit.decode().strip()

    @contextmanager
    def reading(self) -> Iterator[MirrorObjects]:
        """A reader for one thread, while others have theirs."""
        objects = MirrorObjects(self.path)
        try:
            yield objects
        finally:
            objects.close()

    def close(self) -> None:
        self.objects.close()
        remove(self.path)

    def _entries(self, change: Change, folder: bytes, head: str) -> Iterator[bytes]:
        """What `git update-index --index-info` reads: first what is there goes, then comes what is to be there."""
        files = change.files
        listing = ("ls-tree", "-r", "-z", "--full-tree", "--name-only", head, "--", os.fsdecode(folder))
        there = b"" if change.keeps_others else self._git("--literal-pathspecs", *listing)
        for gone in filter(None, there.split(b"\0")):
            yield b"0 %b\t%b\0" % (b"0" * 40, gone)
        found = [] if files is None else sorted(path for path in files.rglob("*") if path.is_file())
        stdin = b"".join(os.fsencode(path) + b"\n" for path in found)
        ids = self._git("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=stdin).split() if found else []
        for path, id in zip(found, ids, strict=True):
            assert files is not None
            mode = b"100755" if os.access(path, os.X_OK) else b"100644"
            yield b"%b %b\t%b/%b\0" % (mode, id, folder, os.fsencode(path.relative_to(files)))

    def _check(self, folder: bytes, entries: list[bytes]) -> None:
        """Raises SourceError: git takes no path that some system takes for `.git`, and says so in passing."""
        listing = self._git("--literal-pathspecs", "ls-files", "-z", "--", os.fsdecode(folder))
        held = {*listing.split(b"\0")}
        told = (entry.partition(b"\t")[2].rstrip(b"\0") for entry in entries if not entry.startswith(b"0 "))
        if missing := next((path for path in told if path not in held), None):
            raise SourceError(f"git takes no file called {os.fsdecode(missing)[:200]!r} into a commit; rename it")

    def _git(self, *arguments: str, stdin: bytes = b"", **variables: str) -> bytes:
        return run(self.path, arguments, stdin, {**variables, "GIT_INDEX_FILE": str(self.path / "index")})


def open_scratch(where: Path, mirror: Path) -> ScratchRepository:
    """In a new folder in `where`. Raises SourceError."""
    try:
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        return ScratchRepository(Path(tempfile.mkdtemp(prefix="commit-", suffix=".git", dir=where)), mirror)
    except OSError as error:
        raise SourceError(f"{where} can't be written: {error.strerror}; check DATA_DIR") from error


_DOMAIN = "pawl.invalid"
"""No mail reaches it (https://www.rfc-editor.org/rfc/rfc2606): who uploads has a key, and no address here."""


def _plain(name: str) -> str:
    """As git takes it for a person's."""
    return " ".join(re.sub(r"[<>\x00-\x1f\x7f]", " ", name).split()).strip(".,:;<>\"\\'")[:100]


def _local_part(name: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-.") or "pawl"
