from __future__ import annotations

import asyncio
from pathlib import Path

from core.runs.runs import AttemptResult
from core.runs.states import RunState
from tests.trainer.attempts import Shop
from trainer.attempt.attempt import Attempt, Prepared
from trainer.attempt.progress import Progress
from trainer.attempt.run_log import RunLog
from trainer.attempt.stop import Stop


def test_a_failure_of_pawls_own_ends_the_attempt_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    def fails() -> Prepared:
        raise ZeroDivisionError

    result = asyncio.run(attempted(tmp_path, fails))
    assert (result.state, result.heals) == (RunState.LOST, True)
    assert result.message == "Pawl itself failed: ZeroDivisionError()"
    assert (result.params, result.started_by) == ({"depth": 6}, "")
    assert result.began_at is not None


async def attempted(folder: Path, prepare: object) -> AttemptResult:
    shop = Shop(folder)
    spec = shop.spec("def train(output): pass", params={"depth": 6})
    printed = RunLog(folder / "log.txt", spec.log_bytes)
    try:
        attempt = Attempt(spec, folder, prepare, shop.store, {}, printed, Progress(folder), Stop(folder), None)  # type: ignore[arg-type]
        return await attempt.run()
    finally:
        printed.close()
