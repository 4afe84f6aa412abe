"""What is known of the models, from before a restart if need be."""

from __future__ import annotations

from collections.abc import Mapping

from core.decisions import Decisions, Rejected
from core.release import Candidate, Release, Served
from loader.releases.live_file import LiveFile


class KnownModels:
    """Begun with what `live.json` kept. Its values are replaced whole: threads may read them."""

    def __init__(self, live_file: LiveFile) -> None:
        self.heads: Mapping[str, Candidate] = live_file.heads()
        """The models at the followed head, as it was looked at last."""
        self.decided: Decisions = live_file.decisions()
        """What is known of the decisions."""
        self.last_live: Mapping[str, tuple[Served, ...]] = live_file.last_live()
        """Of each model what is live, and what was before it, the latest first."""

    def last_served(self) -> list[Served]:
        """The last releases of each model that were live, the latest first, and those that are pinned or rolled back
        to: what one may go back to."""
        chosen = (*(self.decided.pins or {}).values(), *(self.decided.targets or {}).values())
        return [*(one for last in self.last_live.values() for one in last), *chosen]

    def turned_down(self, model: str, run: str) -> str:
        """The name by which what a run left can be accepted that was turned down; empty where it was not, or where
        that can't be told any more."""
        rejected = (self.decided.rejections or {}).get(model, Rejected())
        if run in rejected.runs:
            return f"run-{run}"
        mine = (one for one in self.last_live.get(model, ()) if one.release.run == run)
        return next((one.version.label for one in mine if one.release.id in rejected.releases), "")

    def last_releases(self) -> list[Release]:
        """Likewise, without the versions that they went by."""
        return [one.release for one in self.last_served()]
