"""Real git repositories for tests, untouched by the user's own git configuration and by the repository around them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_FIRST_COMMIT = 1_700_000_000


class Repo:
    """A repository with a working tree at `path`; each commit is a second younger than the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._now = _FIRST_COMMIT
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", "--template=")

    def __str__(self) -> str:
        return str(self.path)

    @property
    def head(self) -> str:
        """Read as git would, which takes a process to."""
        folder = self.path / ".git"
        _, is_branch, name = (folder / "HEAD").read_text().strip().rpartition("ref: ")
        loose = folder / name
        return loose.read_text().strip() if is_branch and loose.is_file() else self.git("rev-parse", "HEAD")

    def write(self, name: str, content: str | bytes = "", *, executable: bool = False) -> Repo:
        """Write a file; `name` may hold folders."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(0o755 if executable else 0o644)
        return self

    def link(self, name: str, target: str) -> Repo:
        """Write a symbolic link."""
        link = self.path / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        return self

    def remove(self, name: str) -> Repo:
        """Remove a file or a folder that is committed."""
        self.git("rm", "-r", "--quiet", "--force", name)
        return self

    def commit(self, message: str = "change") -> str:
        """Commit everything, empty or not; returns the commit's hash."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.head

    def commit_file(self, name: str, content: str | bytes = "", message: str = "change") -> str:
        return self.write(name, content).commit(message)

    def commit_entries(self, *entries: tuple[str, str, str], message: str = "entries") -> str:
        """Commit a root tree of (mode, object id, name) that no working tree could hold; returns the commit's hash."""
        lines = b"".join(
            f"{mode} {'tree' if mode == '40000' else 'commit' if mode == '160000' else 'blob'} {oid}\t{name}".encode()
            + b"\0"
            for mode, oid, name in entries
        )
        return self.commit_tree(self.git("mktree", "-z", "--missing", stdin=lines), message)

    def commit_tree(self, tree: str, message: str = "tree") -> str:
        """Commit the tree `tree` on top of the current branch, leaving the working tree alone."""
        parents = ["-p", self.head] if self.exists("HEAD") else []
        commit = self.git("commit-tree", tree, "-m", message, *parents)
        self.git("update-ref", "HEAD", commit)
        return commit

    def raw_tree(self, *entries: tuple[str, bytes, str]) -> str:
        """Id of a tree of (mode, name, object id), however wrong."""
        content = b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries)
        return self.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=content)

    def blob(self, content: str | bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", stdin=content.encode() if isinstance(content, str) else content)

    def exists(self, revision: str) -> bool:
        return self._run("rev-parse", "--quiet", "--verify", revision).returncode == 0

    def branch(self, name: str) -> Repo:
        """A new branch from here, and onto it."""
        self.git("switch", "--quiet", "--create", name)
        return self

    def switch(self, name: str) -> Repo:
        self.git("switch", "--quiet", name)
        return self

    def merge(self, name: str, *options: str) -> str:
        self.git("merge", "--quiet", "--no-ff", "--no-edit", *options, name)
        return self.head

    def revert(self, commit: str = "HEAD") -> str:
        self.git("revert", "--no-edit", commit)
        return self.head

    def reset(self, commit: str) -> Repo:
        """Move the branch and the working tree to `commit`: what comes next rewrites history."""
        self.git("reset", "--quiet", "--hard", commit)
        return self

    def push(self, to: Path | str, *, force: bool = False, branch: str = "main") -> Repo:
        self.git("push", "--quiet", *(["--force"] if force else []), str(to), f"HEAD:refs/heads/{branch}")
        return self

    def bare(self, path: Path) -> Path:
        """A bare clone at `path`, to push to."""
        self.git("clone", "--quiet", "--bare", "--template=", str(self.path), str(path))
        return path

    def turn_clock(self, seconds: int) -> Repo:
        """Let the next commits be made by a clock that is so much ahead, or behind."""
        self._now += seconds
        return self

    def count(self, *paths: str) -> int:
        """How many commits changed `paths`, as git itself counts them."""
        return int(self.git("rev-list", "--full-history", "--count", "HEAD", "--", *paths))

    def git(self, *arguments: str, stdin: bytes | None = None) -> str:
        done = self._run(*arguments, stdin=stdin)
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr.decode()}"
        return done.stdout.decode().strip()

    def _run(self, *arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        self._now += 1
        return subprocess.run(
            ["git", *arguments], cwd=self.path, env=isolated(self.path, self._now), input=stdin, capture_output=True
        )


def isolated(path: Path, now: int = _FIRST_COMMIT) -> dict[str, str]:
    """The environment of a git that knows nothing but the repository at `path`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"), ("DATE", f"{now} +0000"))
    }
    return kept | who | {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(path.parent),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "maintenance.auto",  # which is a process more for each commit
        "GIT_CONFIG_VALUE_0": "false",
        "GIT_CONFIG_KEY_1": "core.fsync",
        "GIT_CONFIG_VALUE_1": "none",
    }  # fmt: skip
