"""One fetch of the followed repository, within its budgets of time and bytes."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from core.errors import SourceError
from loader.files.git_objects import MirrorDamaged
from loader.sources.git.mirror.conversation import Conversation, RefusedByGit
from loader.sources.git.mirror.git_errors import explain, is_damage, is_locked, lacks_ref, no_such_ref
from loader.sources.git.mirror.layout import sweep
from loader.sources.git.mirror.transport import Transport
from loader.sources.git.remote import Remote


class Fetch:
    """Fetches what `remote` says to follow."""

    def __init__(self, remote: Remote, transport: Transport) -> None:
        self._remote = remote
        self._conversation = Conversation(remote, transport, "the fetch")

    def run(self, path: Path, ref: str) -> None:
        """Fetch into the repository at `path`, to its `ref`. Raises SourceError, or MirrorDamaged."""
        try:
            self._fetch(path, ref)
        except RefusedByGit as refused:
            sweep(path)
            raise self._failure(refused.said) from refused
        except SourceError:
            sweep(path)
            raise

    def stop(self) -> None:
        """End a fetch that is under way in another thread; none begins any more."""
        self._conversation.stop()

    def check(self) -> None:
        """Raise SourceError once stopped."""
        self._conversation.check()

    def _fetch(self, path: Path, ref: str) -> None:
        if self._remote.commit:
            with suppress(RefusedByGit):
                return self._fetch_one(path, self._remote.commit, ref, ["--depth=1"])
        *earlier, last = self._remote.refs
        for wanted in earlier:
            try:
                return self._fetch_one(path, wanted, ref, _all_of(path))
            except RefusedByGit as refused:
                if not lacks_ref(refused.said):
                    raise
        try:
            self._fetch_one(path, last, ref, _all_of(path))
        except RefusedByGit as refused:
            if lacks_ref(refused.said) and self._remote.branch:
                raise SourceError(no_such_ref(self._branches(path), self._remote)) from refused
            raise

    def _fetch_one(self, path: Path, wanted: str, ref: str, depth: list[str]) -> None:
        options = ["--force", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet"]
        command = ["fetch", *options, "--update-shallow", *depth, "--", self._remote.address.url, f"+{wanted}:{ref}"]
        try:
            self._conversation.talk(path, command)
        except RefusedByGit as refused:
            if not is_locked(refused.said):
                raise
            sweep(path)
            self._conversation.talk(path, command)

    def _branches(self, path: Path) -> list[str]:
        """Names of branches that there are, or of some of them."""
        try:
            command = ["ls-remote", "--heads", "--", self._remote.address.url]
            listed = self._conversation.talk(path, command, answers=True)
        except (RefusedByGit, SourceError):
            return []
        return re.findall(r"^[0-9a-f]{40,64}\trefs/heads/(.+)$", listed, re.MULTILINE)

    def _failure(self, said: str) -> Exception:
        return (
            MirrorDamaged(self._remote.scrub(said.strip()))
            if is_damage(said)
            else SourceError(explain(said, self._remote))
        )


def _all_of(mirror: Path) -> list[str]:
    """As deep as the source goes: where that is a shallow clone, the mirror has to be one as well."""
    return ["--unshallow"] if (mirror / "shallow").exists() else []
