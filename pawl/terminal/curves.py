"""What a run has reported, a line for each score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pawl.terminal.sparkline import sparkline


def curves(points: Iterable[Mapping[str, float | None]]) -> Iterator[tuple[str, str]]:
    """Of each score its name, and its curve with the first and the last value. A score that comes once has none."""
    found: dict[str, list[float]] = {}
    for scores in points:
        for name, value in scores.items():
            if value is not None:
                found.setdefault(name, []).append(value)
    for name, values in found.items():
        if len(values) > 1:
            yield name, f"{sparkline(values)} {values[0]:.4g} to {values[-1]:.4g}"
