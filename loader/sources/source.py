"""What the reconcile loop asks of the place that models come from: a git repository or a local folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from core.release import Candidate, Revision, Snapshot
from loader.sources.changes import Change, ManifestText, Proposal
from loader.sources.past import Page, PastVersion, Patch


class Files(Protocol):
    """Where the files of revisions come from."""

    def check_out(self, revision: Revision, into: Path) -> None:
        """Write the revision's files into the empty folder `into`. Raises ReleaseFailed."""
        ...


class Source(Files, Protocol):
    """Where models come from.

    What returns revisions or versions blocks and is called in threads: `look` one at a time, the others also meanwhile.
    """

    @property
    def where(self) -> str:
        """The place in words fit for a log: no credentials in it."""
        ...

    @property
    def seen(self) -> Mapping[str, list[str]]:
        """The last revisions of each model in the order they came, where versions are numbered by that; else empty."""
        ...

    @property
    def forgotten(self) -> Mapping[str, int]:
        """How many revisions of each model came before those that are `seen`."""
        ...

    def start(self, changed: Callable[[], None]) -> None:
        """Begin to watch; `changed` may be called from any thread, as often as it likes."""
        ...

    def look(self) -> Snapshot:
        """What there is to serve now. Raises SourceError when the place can't be read."""
        ...

    def resolve(self, model: str, name: str) -> Candidate:
        """The model at version `name`: `vN` or a commit prefix. Raises VersionNotFound or VersionAmbiguous."""
        ...

    def past(self, model: str, limit: int, cursor: str | None = None) -> Page:
        """So many of the model's versions; nothing of a model that there never was. Raises CursorUnknown."""
        ...

    def tell(self, candidate: Candidate) -> PastVersion:
        """What the commit of a version says that was resolved."""
        ...

    def patch(self, before: Candidate, after: Candidate, most: int) -> Patch | None:
        """How two versions of a model differ, in so many bytes; None where their files can't be compared any more."""
        ...

    def manifest_text(self, model: str) -> ManifestText:
        """What `model.yaml` in the model's folder holds now. Raises SourceError."""
        ...

    def propose(self, change: Change) -> Proposal:
        """Make a change of a model's folder ready. Raises HeadMoved, NotWritable, SourceError."""
        ...

    def close(self) -> None: ...
