"""Finds a release by a name that somebody gave, or by what the registry says of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from core.errors import PawlError, VersionAmbiguous, VersionNotFound
from core.release import Artifact, Candidate, Release, Revision, Served, Wanted
from loader.controller.release_names import RUN, ReleaseNames, goes_by
from loader.known_models import KnownModels
from loader.sources.source import Source
from server.steering.decisions.decided import Named
from server.steering.version_labels import version_of


class ReleaseFinder:
    """All block, and may be called in any thread."""

    def __init__(
        self,
        source: Source,
        names: ReleaseNames,
        known: KnownModels,
        artifact_of: Callable[[str, str], Artifact | None],
    ) -> None:
        """`artifact_of(model, run)`: what the run left."""
        self._source = source
        self._names = names
        self._known = known
        self._artifact_of = artifact_of

    def find(self, model: str, name: str, live: Served | None) -> Served:
        """What goes by `vN`, a commit or `run-KEY`; also what was live, if the source has it no longer.

        Of two releases of one revision, the one that is live is meant. Raises what `ReleaseNames.find` does, and
        ReleaseFailed; VersionAmbiguous, too, where history was rewritten and what is live goes by the name as well.
        """
        if live is not None and name.startswith(RUN) and goes_by(live, name):
            return live
        try:
            wanted = self._names.find(model, name)
        except VersionNotFound:
            found = self._names.remembered(model, name, live)
            if found is None:
                raise
            return found
        if live is not None and goes_by(live, name) and wanted.version.commit != live.version.commit:
            raise _ambiguous(model, name, live, wanted)
        if wanted.release is None:
            assert wanted.failure is not None
            raise wanted.failure
        is_live = live is not None and live.release.revision == wanted.release.revision and not name.startswith(RUN)
        return Served(live.release if live is not None and is_live else wanted.release, wanted.version)

    def recorded(self, named: Named) -> Served | None:
        """What the registry names, on this disk or in the source; None: nowhere."""
        version = version_of(named.version, named.commit)
        for release, _ in self._known.last_served():
            if (release.model, release.id) == (named.model, named.release):
                return Served(release, version)
        for candidate in self._candidates(named):
            assert candidate.revision is not None
            release = Release(candidate.revision, self._artifact(candidate.revision, named.run))
            if release.id == named.release:
                return Served(release, version)
        return None

    def _candidates(self, named: Named) -> list[Candidate]:
        """Under the commit, or the version where commits are not what versions are made by."""
        found = []
        for name in (named.commit, named.version):
            with suppress(PawlError):
                candidate = self._source.resolve(named.model, name)
                if candidate.revision is not None:
                    found.append(candidate)
        return found

    def _artifact(self, revision: Revision, run: str) -> Artifact | None:
        if not run:
            return None
        accepted = (self._known.decided.artifacts or {}).get(revision.code_key or "", ())
        for artifact in accepted:
            if artifact.run == run:
                return artifact
        with suppress(PawlError):
            return self._artifact_of(revision.model, run)
        return None


def _ambiguous(model: str, name: str, live: Served, wanted: Wanted) -> VersionAmbiguous:
    commits = (live.version.commit, wanted.version.commit)
    return VersionAmbiguous(
        f"{name} of {model} is what is live, of commit {commits[0]}, and since history was rewritten that of "
        f"{commits[1]}, too; name one of the commits",
        commits,
    )
