"""What to do next about one model: pure, so that it can be read and tested without a process."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from core.errors import Heals, ReleaseFailed
from core.events import BY_PUSH, Actor
from core.release import Choice, Release, Version, Wanted

TRIES = 3
"""Of a release that may do better on another try, for all that is known."""
_PAUSES_S = (2.0, 10.0, 30.0, 60.0)
"""Between tries; the last is the longest pause of a release that was live once."""
_RARE_PAUSES_S = (*_PAUSES_S, 120.0, 300.0, 600.0)
"""Between tries of what waits for the machine."""

_UNTRIED = Version(0, "")


@dataclass(frozen=True)
class Failure:
    """How often a release could not be started, and when (`time.monotonic`) it was last tried."""

    key: str
    """What failed: tried again when this changes."""
    error: ReleaseFailed
    tries: int
    at: float
    was_live: bool = False
    """It has been live before, so it is tried for ever."""
    version: Version = _UNTRIED
    """What the failed release was called when it was tried."""


@dataclass(frozen=True)
class State:
    """Where a model stands."""

    wanted: Wanted | None
    """None: its folder has gone."""
    live: tuple[str, Version] | None = None
    """The id of the live release, and the version it goes by."""
    failure: Failure | None = None
    run: str | None = None
    """Key of the run that the live release goes by."""
    withheld: str | None = None
    """Why nothing is served although nothing failed, as it was told last."""


@dataclass(frozen=True)
class Attempt:
    """Start the wanted release."""

    wanted: Wanted


@dataclass(frozen=True)
class Refuse:
    """The wanted release can't be started at all; say so, once."""

    wanted: Wanted
    error: ReleaseFailed


@dataclass(frozen=True)
class Rename:
    """What is live is what is wanted, under another version, or of another run that left the same files."""

    version: Version
    run: str | None = None


@dataclass(frozen=True)
class Withhold:
    """Nothing of the model is to be served, although its folder is there and nothing failed."""

    wanted: Wanted


@dataclass(frozen=True)
class Retire:
    """Take the model away."""


@dataclass(frozen=True)
class Wait:
    """Nothing to do until something changes, or until `seconds` have passed."""

    seconds: float | None = None


Action = Attempt | Refuse | Rename | Withhold | Retire | Wait


def decide(state: State, now: float) -> Action:
    wanted = state.wanted
    if wanted is None:
        return Retire()
    if wanted.withheld is not None:
        return Wait() if state.live is None and state.withheld == wanted.withheld else Withhold(wanted)
    if wanted.release is None:
        return _refuse_once(wanted, state.failure)
    if state.live is not None and state.live[0] == wanted.release.id:
        is_named = (state.live[1], state.run) == (wanted.version, wanted.release.run)
        return Wait() if is_named else Rename(wanted.version, wanted.release.run)
    if state.failure is None or state.failure.key != failure_key(wanted):
        return Attempt(wanted)
    return _try_again(wanted, state.failure, now)


def actor_of(wanted: Wanted, was_live: Container[str]) -> Actor | None:
    """Git where a push is what brought it: nobody chose it, no run made it, and it was not live before.

    `was_live`: ids of releases.
    """
    release = wanted.release
    is_known = release is not None and (release.artifact is not None or release.id in was_live)
    return None if is_known or wanted.choice is not Choice.HEAD else BY_PUSH


def failure_key(wanted: Wanted) -> str:
    """What a failure holds for: the release, or, where none could be made, the commit and the reason."""
    if wanted.release is not None:
        return wanted.release.id
    return f"{wanted.version.commit}: {wanted.failure}"


def pause_after(failure: Failure) -> float | None:
    """Seconds until a release that failed is tried again; None: not before it changes."""
    if not tried_for_ever(failure) and (failure.error.heals == Heals.NEVER or failure.tries >= TRIES):
        return None
    waits_for_machine = failure.error.heals == Heals.WITH_MACHINE and not failure.was_live
    pauses = _RARE_PAUSES_S if waits_for_machine else _PAUSES_S
    return pauses[min(failure.tries, len(pauses)) - 1]


def is_superseded(release: Release, wanted: Wanted | None, *, is_back: bool = False) -> bool:
    """Whether something else is wanted by now than the release that is being started.

    `is_back`: it was live before a restart, and nothing is now. It is started to its end: nobody knows whether what
    comes next will pass.
    """
    if is_back and wanted is not None and wanted.choice is Choice.HEAD:
        return False
    return wanted is None or wanted.release is None or wanted.release.id != release.id


def is_overruled(release: Release, wanted: Wanted | None, live: Release | None) -> bool:
    """Whether a release that has started must not go live, not even until the next one does: its folder has gone,
    somebody chose another meanwhile, or what is wanted is what is live."""
    if wanted is None:
        return True
    if wanted.release is None or wanted.release.id == release.id:
        return False
    is_live = live is not None and live.id == wanted.release.id
    return is_live or wanted.choice is not Choice.HEAD


def tried_for_ever(failure: Failure) -> bool:
    """Whether a try is worth it whenever somebody asks, and follows anyway."""
    return failure.was_live or failure.error.heals == Heals.WITH_MACHINE


def _refuse_once(wanted: Wanted, failure: Failure | None) -> Action:
    assert wanted.failure is not None
    if failure is not None and failure.key == failure_key(wanted):
        return Wait()
    return Refuse(wanted, wanted.failure)


def _try_again(wanted: Wanted, failure: Failure, now: float) -> Action:
    pause_s = pause_after(failure)
    if pause_s is None:
        return Wait()
    left_s = failure.at + pause_s - now
    return Wait(left_s) if left_s > 0 else Attempt(wanted)
