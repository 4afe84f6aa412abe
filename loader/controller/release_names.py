"""What a release is asked for by: `vN`, a commit, or `run-<run key>`."""

from __future__ import annotations

from collections.abc import Callable

from core.decisions import Decisions
from core.errors import NotTrained, VersionNotFound
from core.release import Artifact, Release, Revision, Served, Wanted
from core.runs.states import CAME_TO_NOTHING, RunState
from loader.desire import newest_release
from loader.known_models import KnownModels
from loader.sources.source import Source

RUN = "run-"
_LOCAL = "local-"
"""What the commits of a local folder begin with."""
_FEWEST_DIGITS = 7


class ReleaseNames:
    """Finds releases by name, of the models that the source has."""

    def __init__(
        self,
        source: Source,
        known: KnownModels,
        artifact_of: Callable[[str, str], Artifact | None] = lambda model, run: None,
    ) -> None:
        """`artifact_of(model, run)`: what a run of the model left that nobody need have accepted; it may block."""
        self._source = source
        self._known = known
        self._artifact_of = artifact_of

    def find(self, model: str, name: str) -> Wanted:
        """Blocks. Raises VersionNotFound, VersionAmbiguous or NotTrained."""
        if name.startswith(RUN):
            return self._of_run(model, name.removeprefix(RUN))
        found, decided = self._source.resolve(model, name), self._known.decided
        if found.revision is None:
            return Wanted(model, found.version, None, found.failure)
        release = newest_release(found.revision, decided)
        if release is None:
            raise _not_trained(f"{model} {found.version.label}", found.revision.code_key or "", decided)
        return Wanted(model, found.version, release)

    def remembered(self, model: str, name: str, live: Served | None) -> Served | None:
        """What is or was live by that name, though the source has it no longer."""
        served = (*([] if live is None else [live]), *self._known.last_served())
        return next((one for one in served if one.release.model == model and goes_by(one, name)), None)

    def _of_run(self, model: str, run: str) -> Wanted:
        """The newest revision with what the run left."""
        head = self._known.heads.get(model)
        if head is None:
            raise VersionNotFound(f"{model} is not a model at the followed head, so no run's artifact can be served")
        if head.revision is None:
            return Wanted(model, head.version, None, head.failure)
        artifact = self._known_artifact(head.revision, run) or self._artifact_of(model, run)
        if artifact is None:
            raise VersionNotFound(f"no run {run[:50]!r} of {model} left an artifact")
        return Wanted(model, head.version, Release(head.revision, artifact))

    def _known_artifact(self, head: Revision, run: str) -> Artifact | None:
        accepted = (self._known.decided.artifacts or {}).get(head.code_key or "", ())
        live = (one.artifact for one in self._known.last_releases() if one.model == head.model)
        return next((one for one in (*accepted, *live) if one is not None and one.run == run), None)


def _not_trained(named: str, code_key: str, decided: Decisions) -> NotTrained:
    state, run = decided.runs.get(code_key), decided.run_keys.get(code_key)
    message = f"{named} has no accepted artifact"
    if state is None or run is None:
        return NotTrained(message, state)
    if state == RunState.REJECTED:
        todo = f"; pawl runs accept {run} takes what it left all the same"
    else:
        todo = f"; pawl runs show {run} says why" if state in CAME_TO_NOTHING else ""
    return NotTrained(f"{message}: its run {run} is {state}{todo}", state)


def goes_by(served: Served, name: str) -> bool:
    """Whether somebody may have meant it, by a name that he saw."""
    release, version = served
    if name.startswith(RUN):
        return release.run == name.removeprefix(RUN)
    has_enough_digits = len(name.removeprefix(_LOCAL)) >= _FEWEST_DIGITS
    return name == version.label or (has_enough_digits and version.commit.startswith(name))
