"""What the loader asks of the part that routes requests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from core.release import Served, Version
from loader.workers.pool import Pool


@dataclass(frozen=True)
class Live:
    """What answers for a model."""

    version: Version
    pool: Pool
    run: str | None = None
    """Key of the run that left the release's artifact."""

    @property
    def served(self) -> Served:
        """With the run that it goes by: another may have left the same files since the pool was started."""
        release = self.pool.release
        if release.artifact is not None and self.run is not None:
            release = replace(release, artifact=replace(release.artifact, run=self.run))
        return Served(release, self.version)


class Routes(Protocol):
    """Where routes are shown. The methods return once every gateway routes by the change."""

    async def show(self, model: str, live: Live) -> None:
        """Requests for the model go there from now on."""
        ...

    async def hide(self, model: str, why: str | None, *, run: str | None = None) -> None:
        """The model answers nothing from now on: 503 with `why`, or 404 if that is None.

        `run`: state of the run that its first artifact is waited from; None where it waits for none.
        """
        ...

    async def show_version(self, model: str, name: str, live: Live) -> None:
        """Requests for the model at that version go there from now on."""
        ...

    async def hide_pool(self, pool: Pool) -> None:
        """No version asked for by name goes to that pool from now on."""
        ...

    def forget_versions(self) -> None:
        """Names of versions may mean something else from now on: they are to be asked for anew."""
        ...

    def refresh(self) -> None:
        """Some pool has other workers than before."""
        ...
