"""`--json [FIELDS]`: what the server said, or a part of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from pawl.exits import USAGE, CommandFailed
from pawl.terminal.json_text import json_text
from pawl.terminal.text import is_terminal, printable_json


def print_json(answer: Any, fields: str = "", *, is_line: bool = False) -> None:
    """On one line for programs; in a terminal indented, unless it is one line of many.

    `fields`: their names, joined by commas, or none for all.

    Raises CommandFailed.
    """
    chosen = _chosen(answer, _names(fields))
    text = json_text(chosen, indent=2 if is_terminal() and not is_line else None)
    sys.stdout.write(printable_json(text) + "\n")
    sys.stdout.flush()


def check_fields(fields: str, known: Iterable[str]) -> None:
    """Before what takes long: whether its answer will have those fields. Raises CommandFailed."""
    there = dict.fromkeys(known)
    _chosen(there, [name.partition(".")[0] for name in _names(fields)])


def _names(fields: str) -> list[str]:
    return [name.strip() for name in fields.split(",") if name.strip()]


def _chosen(answer: Any, names: list[str]) -> Any:
    if not names:
        return answer
    if isinstance(answer, list):
        return [_chosen(one, names) for one in answer]
    return {name: _field(answer, name) for name in names}


def _field(answer: Any, name: str) -> Any:
    """`live.version` is the field of a field; null where that is."""
    found = answer
    for part in name.split("."):
        if found is None:
            return None
        if not isinstance(found, dict) or part not in found:
            there = ", ".join(sorted(answer)) if isinstance(answer, dict) else "none"
            raise CommandFailed(USAGE, f"there is no field {name!r}; there are: {there}")
        found = found[part]
    return found
