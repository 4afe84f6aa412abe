"""Names of a run's files in the store."""

from __future__ import annotations

import re

ACCEPTED = "accepted.json"
LOG = "log.txt"


def attempt_record(attempt: int) -> str:
    return f"a{attempt}.json"


def attempt_log(attempt: int) -> str:
    return f"a{attempt}.log.txt"


def attempt_curve(attempt: int) -> str:
    """What the attempt reported, as `progress.jsonl` has it."""
    return f"a{attempt}.progress.jsonl"


def result_record(retried_after: int) -> str:
    """What became of the run; of one that a person had tried again after that many attempts, what became of it then."""
    return f"result-a{retried_after}.json" if retried_after else "result.json"


def retry_record(after: int) -> str:
    """Says that a person asked for another attempt after the one of that number."""
    return f"retry-a{after}.json"


def attempts_in(names: tuple[str, ...]) -> list[int]:
    return _numbers(r"a(\d+)\.json", names)


def retried_after(names: tuple[str, ...]) -> int:
    """The last attempt after which a person asked for another; 0: nobody has."""
    return max(_numbers(r"retry-a(\d+)\.json", names), default=0)


def is_verdict(name: str) -> bool:
    """Whether the file says what became of the run, and not only of an attempt."""
    return name == ACCEPTED or name.startswith("result")


def _numbers(pattern: str, names: tuple[str, ...]) -> list[int]:
    return sorted(int(found[1]) for name in names if (found := re.fullmatch(pattern, name)))


def decisive(names: tuple[str, ...]) -> str | None:
    """Of a run's files the one that says what became of it, or how far it has come; None: there is none yet."""
    if ACCEPTED in names:
        return ACCEPTED
    result = result_record(retried_after(names))
    if result in names:
        return result
    attempts = attempts_in(names)
    return attempt_record(attempts[-1]) if attempts else None
