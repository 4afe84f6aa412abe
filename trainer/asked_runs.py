"""Takes up what people asked of other daemons, and what was asked of one that is no more."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from core.errors import PawlError
from trainer.demand.code_folders import CodeFolders
from trainer.demand.commits import Commits
from trainer.records.ended_runs import EndedRuns
from trainer.records.open_runs import OpenRuns, RunFile
from trainer.run_controller import RunController

log = logging.getLogger("pawl.trainer")


class AskedRuns:
    """For the trainer's own thread."""

    def __init__(
        self,
        commits: Commits,
        code_folders: CodeFolders,
        open_runs: OpenRuns,
        ended_runs: EndedRuns,
        controller: RunController,
    ) -> None:
        self._commits = commits
        self._code_folders = code_folders
        self._open_runs = open_runs
        self._ended_runs = ended_runs
        self._controller = controller
        self._problems: set[str] = set()
        """What kept some from being taken up: said once."""

    def take(self, asked: Iterable[RunFile]) -> set[str]:
        """Open those that are not over; the keys of those that are. What fails is tried at the next look."""
        over, problems = set(), set()
        for run in asked:
            try:
                if not self._taken(run):
                    over.add(run.run)
            except (PawlError, OSError) as error:
                problems.add(f"run {run.run} of {run.model}, which was asked for, waits: {error}")
        for problem in sorted(problems - self._problems):
            log.warning("%s", problem)
        self._problems = problems
        return over

    def _taken(self, run: RunFile) -> bool:
        """Whether it is open here."""
        known = self._open_runs.all.get(run.run)
        if known is not None and known.asked:
            return True
        if self._ended_runs.has_ended(run.model, run.run):
            return False
        self._code_folders.put(self._commits.trainable(run.model, run.commit).revision)
        self._controller.open(run)
        return True
