"""A curve in one line of text."""

from __future__ import annotations

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 40


def sparkline(values: Sequence[float]) -> str:
    """From the least to the greatest value; of a long curve, each bar is the last value of its stretch."""
    if not values:
        return ""
    width = min(len(values), _WIDTH)
    shown = [
        values[(index + 1) * len(values) // width - 1] / 2 for index in range(width)
    ]  # so that no span is infinite
    least, span = min(shown), max(shown) - min(shown)
    return "".join(_BARS[int((value - least) / span * (len(_BARS) - 1) + 0.5) if span else 0] for value in shown)
