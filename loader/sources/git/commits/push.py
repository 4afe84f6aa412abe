"""Pushes a commit onto the followed branch, if that is still where the commit stands on."""

from __future__ import annotations

import re
from pathlib import Path

from core.errors import SourceError
from loader.sources.changes import HeadMoved, NotWritable
from loader.sources.git.commits.refused_push import refused_push
from loader.sources.git.mirror.conversation import Conversation, RefusedByGit
from loader.sources.git.mirror.git_errors import explain
from loader.sources.git.remote import Remote


class Push:
    def __init__(self, remote: Remote, conversation: Conversation) -> None:
        self._remote = remote
        self._conversation = conversation

    def run(self, path: Path, commit: str, head: str) -> None:
        """From the repository at `path`. Raises HeadMoved, NotWritable, SourceError."""
        ref, url = self._branch(path), self._remote.address.url
        lease = f"--force-with-lease={ref}:{head}"  # it makes no branch, and moves none that has moved
        command = ["push", "--porcelain", "--quiet", lease, "--", url, f"{commit}:{ref}"]
        try:
            self._conversation.talk(path, command, answers=True)
        except RefusedByGit as refused:
            raise self._failure(refused.said) from refused

    def stop(self) -> None:
        self._conversation.stop()

    def _branch(self, path: Path) -> str:
        """The ref of the branch that is followed."""
        *_, last = self._remote.refs
        if last == "HEAD":
            return self._default_branch(path)
        first = self._remote.refs[0]
        if not first.startswith("refs/heads/"):
            raise NotWritable(
                f"gitBranch is {self._remote.branch!r}, which is not a branch, so nothing can be pushed to it"
            )
        return first

    def _default_branch(self, path: Path) -> str:
        url = self._remote.address.url
        try:
            said = self._conversation.talk(path, ["ls-remote", "--symref", "--", url, "HEAD"], answers=True)
        except RefusedByGit as refused:
            raise SourceError(explain(refused.said, self._remote)) from refused
        found = re.search(r"^ref: (refs/heads/\S+)\tHEAD$", said, re.MULTILINE)
        if found is None:
            raise NotWritable(f"{url} does not say which branch is its default one; set gitBranch")
        return found[1]

    def _failure(self, said: str) -> Exception:
        said, url = self._remote.scrub(said), self._remote.address.url
        if re.search(r"stale info|fetch first|non-fast-forward|incorrect old value|failed to lock", said):
            return HeadMoved(f"{url} has changed meanwhile; look at what changed, and try again")
        if refusal := re.search(r"\[remote rejected\] \((.*)\)", said):
            return NotWritable(refused_push(url, refusal[1], said))
        if re.search(r"denied|authentication failed|returned error: 40[13]|read.only", said, re.IGNORECASE):
            return NotWritable(f"{url} takes no push with this login; give usergit's token the right to write")
        return SourceError(explain(said, self._remote, "pushed to"))
