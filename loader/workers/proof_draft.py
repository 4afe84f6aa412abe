"""What is learnt of a release while it is started, to be kept as its proof."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from core.errors import ReleaseFailed
from loader.environments.environment import Environment
from loader.files.file_list import read_file_list
from loader.releases.proofs import Answered, Broken, Proof
from loader.steps import StepClock, step_of
from loader.workers.pool import Pool


class ProofDraft:
    """One start of one release."""

    def __init__(self) -> None:
        self.root: Path | None = None
        self.environment: Environment | None = None
        self.pool: Pool | None = None
        self._clock = StepClock()

    def progress(self, doing: str) -> None:
        """A stage, or a line about something that takes long."""
        if (step := step_of(doing)) is not None:
            self._clock.turn(step)

    def proof(self, failure: ReleaseFailed | None) -> Proof:
        """What came of it. Reads from the disk."""
        self._clock.turn(None)
        outcomes = [] if self.pool is None else self.pool.outcomes
        answers = [
            Answered(variables=example.variables, answer=one.answer, seconds=round(one.seconds, 6), fault=one.fault)
            for example, one in outcomes
        ]
        return Proof(
            at=datetime.now(UTC),
            environment=None if self.environment is None else self.environment.id,
            packages={} if self.environment is None else self.environment.packages,
            size_bytes=None if self.root is None else sum(file.size for file in read_file_list(self.root).values()),
            passed=sum(answer.fault is None for answer in answers),
            failed=sum(answer.fault is not None for answer in answers),
            answers=answers,
            seconds=dict(self._clock.seconds()),
            failure=None
            if failure is None
            else Broken(stage=failure.stage, message=str(failure), detail=failure.detail[:50_000]),
        )
