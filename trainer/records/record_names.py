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


RESULT = "result.json"


def result_record(retried_after: int | None) -> str:
    """What became of the run; of one that was retried after that many attempts, what became of it then."""
    return RESULT if retried_after is None else f"result-a{retried_after}.json"


def retry_record(after: int) -> str:
    """Says that a person, or a commit, asked for another attempt after the one of that number."""
    return f"retry-a{after}.json"


def withdrawal_record(after: int) -> str:
    """Says that a person's acceptance ended when another attempt was asked for after the one of that number."""
    return f"withdrawn-a{after}.json"


def acceptance_record(names: tuple[str, ...]) -> str:
    """A person's acceptance of what the run is since then: by this name it is written."""
    withdrawn = max(_numbers(r"withdrawn-a(\d+)\.json", names), default=None)
    return ACCEPTED if withdrawn is None else f"accepted-a{withdrawn}.json"


def is_acceptance(name: str) -> bool:
    return name.startswith("accepted")


def attempts_in(names: tuple[str, ...]) -> list[int]:
    return _numbers(r"a(\d+)\.json", names)


def retried_after(names: tuple[str, ...]) -> int | None:
    """How many attempts there had been when another was last asked for; None: nobody has."""
    return max(_numbers(r"retry-a(\d+)\.json", names), default=None)


def is_verdict(name: str) -> bool:
    """Whether the file says what became of the run, and not only of an attempt."""
    return is_acceptance(name) or name.startswith("result")


def _numbers(pattern: str, names: tuple[str, ...]) -> list[int]:
    return sorted(int(found[1]) for name in names if (found := re.fullmatch(pattern, name)))


def verdict(names: tuple[str, ...]) -> str | None:
    """Of a run's files the one that says what became of it; None: it is open, perhaps again."""
    return next(
        (name for name in (acceptance_record(names), result_record(retried_after(names))) if name in names), None
    )


def decisive(names: tuple[str, ...]) -> str | None:
    """The verdict, or else the file that says how far the run has come; None: there is none yet."""
    attempts = attempts_in(names)
    return verdict(names) or (attempt_record(attempts[-1]) if attempts else None)


def begun_record(attempt: int) -> str:
    """Says that the attempt has had a Job."""
    return f"a{attempt}.begun"


def begun_in(names: tuple[str, ...]) -> int:
    """The last attempt that has had a Job; 0: none has."""
    return max(_numbers(r"a(\d+)\.begun", names), default=0)


def attempt_state(attempt: int) -> str:
    """How far the attempt has come, while it runs elsewhere."""
    return f"a{attempt}.state.json"
