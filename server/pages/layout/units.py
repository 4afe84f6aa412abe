"""Numbers with their units. What was not measured is a dash; zero is 0."""

from __future__ import annotations

DASH = "\N{EN DASH}"


def count(value: float | None) -> str:
    """`14,210`; below ten, what is not whole keeps a digit: `3.4`."""
    if value is None:
        return DASH
    if value < 10 and value != round(value):
        return f"{value:.1f}"
    return f"{value:,.0f}"


def milliseconds(value: float | None) -> str:
    """`0.8 ms`, `38 ms`, `1.20 s`."""
    if value is None:
        return DASH
    if value >= 1000:
        return f"{value / 1000:.2f} s"
    return f"{value:.1f} ms" if 0 < value < 10 else f"{value:.0f} ms"


def share(part: float, whole: float) -> str:
    """`0.02 %`; of nothing, a dash."""
    if not whole:
        return DASH
    percent = 100 * part / whole
    return "0 %" if not part else f"{percent:.2f} %" if percent < 10 else f"{percent:.0f} %"


def size(value: float | None) -> str:
    """Of bytes: `8.2 MB`."""
    if value is None:
        return DASH
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def number(value: float | None) -> str:
    """A score: four digits that count."""
    return DASH if value is None else f"{value:.4g}"
