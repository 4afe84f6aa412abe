"""The p99 beside the p50."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bench.figures.tails import Tail
from bench.inputs.models import MODELS
from bench.report.sections.markdown import measured_on, table
from bench.tail import CONNECTIONS, HEADINGS, rows


def section(content: Any) -> Iterable[str]:
    """A table for each model, from the JSON of `scripts/bench tail`."""
    tails = [Tail.of(each) for each in content["tails"]]
    yield f"## The slowest hundredth: p99 / p50 at {CONNECTIONS} connections\n"
    yield (
        f"{measured_on(content)} Pawl and the bare app in turn, {content['turns']} times {content['seconds']} s each. "
        "What else the machine does lengthens both; the bare app shows by how much.\n"
    )
    for model in dict.fromkeys(tail.model for tail in tails):
        yield f"{MODELS[model].title}:\n"
        yield table(HEADINGS, rows(tails, model))
