"""What became of each model, over several askings of one sync."""

from __future__ import annotations

import msgspec

PENDING = "pending"
LIVE = "live"
FAILED = "failed"
UNCHANGED = "unchanged"
REMOVED = "removed"


class Outcome(msgspec.Struct, frozen=True):
    state: str
    version: str = ""
    message: str = ""


class Synced(msgspec.Struct, frozen=True, omit_defaults=True):
    """The server's answer."""

    head: str
    models: dict[str, Outcome]
    problem: str | None = None
    left_out: dict[str, str] = {}
    """Folders that look like models and are not served, with the reason."""

    @property
    def failed(self) -> bool:
        return self.problem is not None or any(one.state == FAILED for one in self.models.values())

    @property
    def pending(self) -> dict[str, Outcome]:
        return {name: one for name, one in self.models.items() if one.state == PENDING}


def since(earlier: Synced, found: Synced) -> Synced:
    """`found`, told as of the first asking: what has gone live or away between two of them was not so all along."""
    if not found.models:  # the server has not looked yet
        return msgspec.structs.replace(found, models=earlier.models)
    models = {name: _since(earlier.models.get(name), one) for name, one in found.models.items()}
    gone = {name: _gone(one) for name, one in earlier.models.items() if name not in found.models}
    return msgspec.structs.replace(found, models=dict(sorted({**models, **gone}.items())))


def _since(earlier: Outcome | None, found: Outcome) -> Outcome:
    was_new = earlier is not None and earlier.state in (PENDING, LIVE)
    return msgspec.structs.replace(found, state=LIVE) if found.state == UNCHANGED and was_new else found


def _gone(earlier: Outcome) -> Outcome:
    return msgspec.structs.replace(earlier, state=REMOVED, message="its folder has gone")
