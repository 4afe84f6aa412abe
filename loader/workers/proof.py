"""The proof of a release: every request in its `examples.json` is answered, and answered as expected."""

from __future__ import annotations

import codecs
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from core.errors import Heals, ReleaseFailed
from worker.client import WorkerConnection, WorkerLost

_MAX_FILE = 32 * 1024 * 1024
_SHOWN = 200


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request that the model's author shows, with the answer where there is one to expect."""

    variables: Any = None
    expect: Any | msgspec.UnsetType = msgspec.UNSET
    tolerance: Annotated[float, msgspec.Meta(ge=0)] = 1e-4
    """Numbers may differ by that much, absolutely or relative to what is expected, whichever allows more."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one example."""

    seconds: float
    answer: Any
    answered: bool = False
    """Whether there was an answer rather than an error."""
    fault: str | None
    """None if it is as it should be."""


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
            f"examples.json{_line(text, error)}: {error}; "
            'it is a list of {"variables": {…}, "expect": {…}, "tolerance": 1e-4}',
            stage="examples",
        ) from error


def _line(text: bytes, error: Exception) -> str:
    """Like `, line 3`; empty where it is not known."""
    place = re.search(r"\(byte (\d+)\)", str(error))
    if place is None:
        return ""
    lines = text.count(b"\n", 0, int(place[1])) + 1
    return f", line {lines}"


async def prove(connection: WorkerConnection, examples: Sequence[Example], timeout_s: float) -> None:
    """Send every example. Raises ReleaseFailed (stage "examples") at the first that is not as it should be."""
    for index, example in enumerate(examples):
        outcome = await try_example(connection, example, timeout_s)
        if outcome.fault is not None:
            heals = Heals.NEVER if outcome.answered else Heals.MAYBE
            raise ReleaseFailed(f"example {index} of examples.json: {outcome.fault}", stage="examples", heals=heals)


async def try_example(connection: WorkerConnection, example: Example, timeout_s: float) -> Outcome:
    """Send one example and compare."""
    body = msgspec.json.encode({"variables": example.variables})
    begun = time.monotonic()
    try:
        answer = await connection.request(body, time.monotonic_ns() + int(timeout_s * 1e9))
    except WorkerLost:
        return Outcome(seconds=time.monotonic() - begun, answer=None, fault="the worker died of it")
    content = msgspec.json.decode(answer.body)
    seconds = time.monotonic() - begun
    fault = _fault(answer.status, content, example)
    return Outcome(seconds=seconds, answer=content, answered=answer.status == 200, fault=fault)


def _fault(status: int, content: Any, example: Example) -> str | None:
    if status != 200:
        return f"answered {status}: {content['error']['message']}"
    if example.expect is msgspec.UNSET:
        return None
    return difference(example.expect, content, example.tolerance)


def difference(expected: Any, got: Any, tolerance: float, at: str = "the answer") -> str | None:
    """Where `got` (JSON) differs from `expected`, in words; None where it doesn't by more than `tolerance`."""
    if _number(expected) and _number(got):
        if abs(expected - got) <= tolerance * max(1.0, abs(expected)):
            return None
    elif isinstance(expected, dict) and isinstance(got, dict) and expected.keys() == got.keys():
        return _first(difference(expected[key], got[key], tolerance, f"{at}.{key}") for key in expected)
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        return _first(
            difference(one, other, tolerance, f"{at}[{index}]")
            for index, (one, other) in enumerate(zip(expected, got, strict=True))
        )
    elif type(expected) is type(got) and expected == got:
        return None
    return f"{at} is {_shown(got)}, expected {_shown(expected)}"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _first(differences: Any) -> str | None:
    return next((found for found in differences if found is not None), None)


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
