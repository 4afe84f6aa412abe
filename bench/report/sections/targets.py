"""What was asked, and whether it was reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bench.figures.verdicts import HEADINGS, judge, rows
from bench.report.sections.markdown import table

_NOTES = """\
Computed from the figures below. In brackets: least and most of the rounds, or turns, where there were several. The
verdict is on each one's best round, but on the median where the text says so; "in 2 of 3" says how many rounds, or
turns, agree with it. "Trees" is the small model. What was measured when, and at which commit, is said at each part.
"""


def section(kept: Mapping[str, Any]) -> Iterable[str]:
    """One table of all targets, from the JSON of all parts."""
    yield "## Targets\n"
    yield _NOTES
    yield table(HEADINGS, rows(judge(kept)))
