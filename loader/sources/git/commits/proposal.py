"""A change of a model's folder as a commit that is not pushed yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.release import Candidate, Revision
from loader.files.git_objects import Objects
from loader.sources.git.commits.push import Push
from loader.sources.git.commits.scratch import ScratchRepository


@dataclass(frozen=True)
class GitProposal:
    candidate: Candidate | None
    commit: str
    head: str
    """That the commit stands on; the commit itself where nothing changes."""
    repository: ScratchRepository
    write: Callable[[Revision, Path, Objects], None]
    """Writes a revision's files, of those objects. Raises ReleaseFailed."""
    push: Push

    @property
    def is_change(self) -> bool:
        return self.commit != self.head

    def check_out(self, revision: Revision, into: Path) -> None:
        with self.repository.reading() as objects:
            self.write(revision, into, objects)

    def make(self) -> str:
        if self.is_change:
            self.push.run(self.repository.path, self.commit, self.head)
        return self.commit

    def close(self) -> None:
        self.repository.close()
