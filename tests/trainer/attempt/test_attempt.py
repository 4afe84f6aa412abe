from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from core.runs.runs import AttemptResult
from core.runs.states import Reason, RunState
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


def test_params_that_no_process_can_be_given_break_the_contract(tmp_path: Path) -> None:
    python = Prepared(Path(sys.executable), {})
    result = asyncio.run(attempted(tmp_path, lambda: python, {"text": "x" * 131_072}))
    assert (result.state, result.reason, result.heals) == (RunState.FAILED, Reason.BAD_CONTRACT, False)
    assert result.message.startswith(
        "model.yaml: train.params is too large: 131,083 bytes of 131,059; use a file of the folder"
    )


def test_the_largest_params_that_a_process_can_be_given_are(tmp_path: Path) -> None:
    python = Prepared(Path(sys.executable), {})
    result = asyncio.run(attempted(tmp_path, lambda: python, {"text": "x" * (131_059 - len('{"text":""}'))}, LENGTH))
    assert (result.state, result.scores) == (RunState.SUCCEEDED, {"score": 131_059.0}), result.message


LENGTH = """
import os

def train(output, text):
    open(output + "m.txt", "w").close()
    return len(os.environ["PAWL_PARAMS"])
"""
DEPTH = {"depth": 6}


async def attempted(
    folder: Path, prepare: object, params: dict[str, Any] = DEPTH, code: str = "def train(output): pass"
) -> AttemptResult:
    shop = Shop(folder)
    spec = shop.spec(code, params=params)
    printed = RunLog(folder / "log.txt", spec.log_bytes)
    try:
        attempt = Attempt(spec, folder, prepare, shop.store, {}, printed, Progress(folder), Stop(folder), None)  # type: ignore[arg-type]
        return await attempt.run()
    finally:
        printed.close()
