"""A repository with a long history, written in a moment by `git fast-import`."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path
from typing import IO

_BEGAN = 1_700_000_000


def write_deep(path: Path, commits: int, folders: int, merges: float = 0.1) -> None:
    """A bare repository of so many commits, each of which changes one of so many models.

    `merges`: the part of the changes that are made on a branch of one commit, which is merged then.
    """
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", "--template=", str(path)], check=True)
    command = ["git", "-c", "fastimport.unpackLimit=0", "fast-import", "--quiet", "--depth=10"]
    with subprocess.Popen(command, cwd=path, stdin=subprocess.PIPE) as importer:
        assert importer.stdin is not None
        _Writing(importer.stdin, commits, folders).write(merges)
        importer.stdin.close()
    if importer.returncode != 0:
        raise RuntimeError(f"git fast-import failed at {path}")


class _Writing:
    def __init__(self, to: IO[bytes], commits: int, folders: int) -> None:
        self._to = to
        self._commits = commits
        self._folders = folders
        self._made = 0
        self._random = random.Random(commits)

    def write(self, merges: float) -> None:
        head = self._commit((), [_file(folder, 0) for folder in range(self._folders)])
        while self._made < self._commits:
            if self._made + 3 <= self._commits and self._random.random() < merges:
                side = self._commit((head,), [self._change()])
                head = self._commit((self._commit((head,), [self._change()]), side), [])
            else:
                head = self._commit((head,), [self._change()])

    def _change(self) -> str:
        return _file(self._random.randrange(self._folders), self._made)

    def _commit(self, parents: tuple[int, ...], files: list[str]) -> int:
        self._made += 1
        who = f"committer Ada <ada@example.org> {_BEGAN + self._made} +0000\ndata 0\n"
        words = ("from", "merge")
        links = "".join(f"{word} :{parent}\n" for word, parent in zip(words, parents, strict=False))
        lines = f"commit refs/heads/main\nmark :{self._made}\n{who}{links}{''.join(files)}\n"
        self._to.write(lines.encode())
        return self._made


def _file(folder: int, edition: int) -> str:
    content = f"class Model{folder}: edition = {edition}\n"
    return f"M 100644 inline M{folder:05}/etls.py\ndata {len(content)}\n{content}"
