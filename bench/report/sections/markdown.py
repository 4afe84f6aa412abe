"""What every part of the page needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

Section = Callable[[Any], Iterable[str]]
"""Paragraphs, from what is in the JSON of one part."""


def table(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """The first column to the left, the others to the right."""
    rule = ["---", *["---:"] * (len(headings) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, rule, *lines)) + "\n"


def measured_on(content: Any) -> str:
    """When, at which commit, and on what."""
    machine = content["machine"]
    return (
        f"Measured on {content['date']} at commit `{content['commit']}` on {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gb']} GB, Linux {machine['kernel']}, "
        f"Python {machine.get('python', 'not noted')}, wrk {machine['wrk']}; "
        f"load average at the end {machine['load_average']:.1f}."
    )
