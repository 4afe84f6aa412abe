"""Figures that are plain numbers with names: printed, and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench import record
from bench.screen import console

Figures = Mapping[str, float]


def tell(part: str, figures: Figures, rounds: Mapping[str, Sequence[float]] | None = None) -> None:
    """Print them, and keep them for `publish`; `rounds`: those of which a figure is the median, by its name."""
    console.print(f"[bold]{part}[/bold]")
    for what, value in figures.items():
        console.print(f"  {what:<44} {shown(value):>12}")
    console.print(f"written to {record.write(part, {'figures': figures, 'rounds': rounds or {}})}")


def shown(value: float) -> str:
    """With as many digits as mean something."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
