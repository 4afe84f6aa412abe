"""What was asked, and whether it was reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bench.sections.markdown import table
from bench.verdicts import HEADINGS, judge, rows

_NOTES = """\
Computed from the figures below. In brackets: least and most of the rounds, where there were several; the verdict is on
each one's best round (or turn), and says so where a round disagrees. "Trees" is the small model.
"""


def section(kept: Mapping[str, Any]) -> Iterable[str]:
    """One table of all targets, from the JSON of all parts."""
    yield "## Targets\n"
    yield _NOTES
    yield table(HEADINGS, rows(judge(kept)))
