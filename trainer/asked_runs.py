"""Takes up what people asked of other daemons, and what was asked of one that is no more."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

import msgspec

from core.errors import Heals, NotTrainable, PawlError, ReleaseFailed, VersionAmbiguous, VersionNotFound
from trainer.demand.code_folders import CodeFolders
from trainer.demand.commits import Commits
from trainer.records.ended_runs import EndedRuns
from trainer.records.open_runs import OpenRuns, RunFile
from trainer.records.recorded_runs import RecordedRuns
from trainer.results import failed_run
from trainer.run_controller import RunController

log = logging.getLogger("pawl.trainer")


_GONE = "a push may have rewritten the branch; push the commit again and retry the run, or start one of another commit"


class AskedRuns:
    """For the trainer's own thread."""

    def __init__(
        self,
        commits: Commits,
        code_folders: CodeFolders,
        open_runs: OpenRuns,
        ended_runs: EndedRuns,
        recorded_runs: RecordedRuns,
        controller: RunController,
        patience_s: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`patience_s`: how far what this daemon knows of the branch may be behind what the one that was asked does."""
        self._commits = commits
        self._code_folders = code_folders
        self._open_runs = open_runs
        self._ended_runs = ended_runs
        self._recorded_runs = recorded_runs
        self._controller = controller
        self._patience_s = patience_s
        self._now = now
        self._missing: dict[str, float] = {}
        """Since when there is no commit of that name, by run."""
        self._problems: set[str] = set()
        """What kept some from being taken up: said once."""

    def take(self, asked: Iterable[RunFile]) -> set[str]:
        """Open those that are not over; the keys of those that are.

        What may heal is tried at the next look; a run that can never be trained has failed.
        """
        over, problems, missing = set(), set(), dict[str, float]()
        for run in asked:
            try:
                if not self._taken(run, missing):
                    over.add(run.run)
            except (PawlError, OSError) as error:
                problems.add(f"run {run.run} of {run.model}, which was asked for, waits: {error}")
        for problem in sorted(problems - self._problems):
            log.warning("%s", problem)
        self._problems, self._missing = problems, missing
        return over

    def _taken(self, run: RunFile, missing: dict[str, float]) -> bool:
        """Whether it is open here. `missing` gets it where its commit isn't there."""
        known = self._open_runs.all.get(run.run)
        if known is not None and not self._code_folders.path(run.code_key).is_dir():
            known = None  # it went while another daemon trained
        if known is not None and known.asked:
            return True
        if self._ended_runs.has_ended(run.model, run.run):
            return False
        if known is not None:  # a commit wants the same, and has checked it out
            run = msgspec.structs.replace(run, commit=known.commit, train=known.train)
        elif (why := self._never(run, missing)) is not None:
            self._fail(run, why)
            return False
        self._controller.open(run)
        return True

    def _never(self, run: RunFile, missing: dict[str, float]) -> str | None:
        """Checks its code out; or why nobody ever can. Raises PawlError, OSError for what may heal."""
        try:
            revision = self._commits.trainable(run.model, run.commit).revision
            if revision.code_key != run.code_key:
                return _otherwise(run, revision.code_key)
            self._code_folders.put(revision)
        except (VersionNotFound, VersionAmbiguous) as error:
            since = missing[run.run] = self._missing.get(run.run, self._now())
            if self._now() < since + self._patience_s:
                raise
            return f"{error}; {_GONE}"
        except NotTrainable as error:
            return f"{error}; start a run of a commit that trains"
        except ReleaseFailed as error:
            if error.heals is not Heals.NEVER:
                raise
            return f"{error}; push what mends that, or start a run of another commit"
        return None

    def _fail(self, run: RunFile, why: str) -> None:
        """Raises StoreUnavailable."""
        recorded = self._recorded_runs.recorded(run.model, run.run)
        failed = failed_run(run, recorded.last, why)
        self._ended_runs.note(self._recorded_runs.conclude(failed, recorded.retried_after))


def _otherwise(run: RunFile, code_key: str | None) -> str:
    return (
        f"the code of {run.model} at commit {run.commit} has the key {code_key}, not {run.code_key}: the server that "
        "was asked is another edition of Pawl than the one that trains; ask for the run again once all are the same"
    )
