"""A release's test before it goes live: sends each request of its `examples.json`, and compares the answers."""

from __future__ import annotations

import codecs
import json
import math
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from core.errors import Heals, ReleaseFailed
from loader.workers.comparison import difference
from worker.wire.client import WorkerConnection, WorkerLost

_MAX_FILE = 32 * 1024 * 1024
_REST_S = 10.0
"""For the examples behind one that failed: their failures are only counted."""
DIED = "the worker died of it"


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request that the model's author shows, with the answer where there is one to expect."""

    variables: Any = None
    expect: Any | msgspec.UnsetType = msgspec.UNSET
    expect_some: dict[str, Any] | list[Any] | msgspec.UnsetType = msgspec.UNSET
    """The same with just the keys that matter, in nested dicts too; a list is compared element by element."""
    tolerance: Annotated[float, msgspec.Meta(ge=0)] = 1e-4
    """Numbers may differ by that much, absolutely or relative to what is expected, whichever allows more."""

    def __post_init__(self) -> None:
        if self.expect is not msgspec.UNSET and self.expect_some is not msgspec.UNSET:
            raise ValueError("An example has either `expect` or `expect_some`, not both")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one example."""

    seconds: float
    status: int = 0
    """Of the answer; 0 where there was none."""
    answer: Any
    answered: bool = False
    """Whether there was an answer rather than an error."""
    fault: str | None
    """What is wrong with the answer; None if nothing is."""

    @property
    def error_id(self) -> str:
        """The id under which the worker reports the traceback, where the author's code raised; else empty."""
        error = self.answer.get("error") if isinstance(self.answer, dict) and not self.answered else None
        return str(error.get("error_id", "")) if isinstance(error, dict) else ""


def read_examples(folder: Path) -> tuple[Example, ...]:
    """The examples of a model's folder; none when it has no such file. Raises ReleaseFailed."""
    path = folder / "examples.json"
    if not path.exists():
        return ()
    try:
        if path.stat().st_size > _MAX_FILE:
            raise ReleaseFailed(f"examples.json is larger than {_MAX_FILE} bytes", stage="examples")
        text = path.read_bytes().removeprefix(codecs.BOM_UTF8)  # which editors on Windows write
    except OSError as error:
        raise ReleaseFailed(f"examples.json can't be read: {error.strerror}", stage="examples") from error
    return _decoded(text)


def _decoded(text: bytes) -> tuple[Example, ...]:
    try:
        return msgspec.json.decode(text, type=tuple[Example, ...])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReleaseFailed(
            f"examples.json{_line(text, error)}: {_why(text, error)}; "
            'it is a list of {"variables": {…}, "expect": {…}, "tolerance": 1e-4}, or with "expect_some"',
            stage="examples",
        ) from error


def _why(text: bytes, error: Exception) -> str:
    if "truncated" not in str(error):
        return str(error)
    if not text.strip():
        return "it is empty"
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return "it ends too early"
    return r"it holds half of a character, such as \ud83d without \ude00 behind it"  # msgspec calls that truncated, too


def _line(text: bytes, error: Exception) -> str:
    """Like `, line 3`; empty where it is not known."""
    place = re.search(r"\(byte (\d+)\)", str(error))
    if place is None:
        return ""
    lines = text.count(b"\n", 0, int(place[1])) + 1
    return f", line {lines}"


TracebackOf = Callable[[str], Awaitable[str]]
"""Gives the traceback behind an error id."""


async def run_examples(
    connection: WorkerConnection,
    examples: Sequence[Example],
    timeout_s: float,
    traceback_of: TracebackOf,
    answered: Callable[[Example, Outcome], object] = lambda example, outcome: None,
) -> None:
    """Send every example, and tell `answered` of each. Raises ReleaseFailed (stage "examples") for the first wrong
    answer, with the traceback where the author's code raised; the others are sent all the same, for some seconds."""
    failed: ReleaseFailed | None = None
    others, ends, is_cut_short = 0, math.inf, False
    for index, example in enumerate(examples):
        if connection.closed or time.monotonic() >= ends:
            is_cut_short = True
            break
        outcome = await try_example(connection, example, timeout_s)
        answered(example, outcome)
        if outcome.fault is None:
            continue
        if failed is None:
            failed, ends = await _failure(index, outcome, traceback_of), time.monotonic() + _REST_S
        else:
            others += 1
    if failed is not None:
        raise _with_others(failed, others, is_cut_short)


async def _failure(index: int, outcome: Outcome, traceback_of: TracebackOf) -> ReleaseFailed:
    heals = Heals.NEVER if outcome.answered else Heals.MAYBE
    detail = await traceback_of(outcome.error_id) if outcome.error_id else ""
    message = f"example {index} of examples.json: {outcome.fault}"
    return ReleaseFailed(message, stage="examples", detail=detail, heals=heals)


def _with_others(failed: ReleaseFailed, others: int, is_cut_short: bool) -> ReleaseFailed:
    """`is_cut_short`: some were not tried any more."""
    if not others:
        return failed
    count = f"{'at least ' if is_cut_short else ''}{others} more"
    more = f"{failed} (and {count} {'examples fail' if others > 1 else 'example fails'})"
    return ReleaseFailed(more, stage=failed.stage, detail=failed.detail, heals=failed.heals)


async def try_example(connection: WorkerConnection, example: Example, timeout_s: float) -> Outcome:
    """Send one example and compare."""
    body = msgspec.json.encode({"variables": example.variables})
    begun = time.monotonic()
    try:
        answer = await connection.request(body, time.monotonic_ns() + int(timeout_s * 1e9))
    except WorkerLost:
        return Outcome(seconds=time.monotonic() - begun, answer=None, fault=DIED)
    content = msgspec.json.decode(answer.body)
    seconds = time.monotonic() - begun
    fault = _fault(answer.status, content, example)
    return Outcome(seconds=seconds, status=answer.status, answer=content, answered=answer.status == 200, fault=fault)


def _fault(status: int, content: Any, example: Example) -> str | None:
    if status != 200:
        return f"answered {status}: {content['error']['message']}"
    some = example.expect_some is not msgspec.UNSET
    expected = example.expect_some if some else example.expect
    return None if expected is msgspec.UNSET else difference(expected, content, example.tolerance, some=some)
