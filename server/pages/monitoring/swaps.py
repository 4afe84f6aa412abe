"""Swaps on a chart: that something else went live, as lines with labels that lead to the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from server.pages.monitoring.clock import clock
from server.traffic.history.history import Stretch, Swap

MOST = 30
_APART = 12.0
"""Per cent of the width that labels are apart, so that none lies on another on a phone either."""
_LAST = 85.0
"""Per cent from the left, from which on a label is on the left of its line."""


@dataclass(frozen=True)
class SwapLine:
    left: str
    """Per cent from the left."""
    model: str
    version: str
    at: str
    seconds: int
    """When, since 1970."""
    is_labelled: bool = False

    @property
    def shift(self) -> int:
        """Pixels from the line to its label's left side, which is within the drawing."""
        return -self.width if float(self.left.removesuffix("%")) > _LAST else 0

    @property
    def width(self) -> int:
        """Pixels of its label."""
        return max(32, 8 * len(self.version) + 12)


def swap_lines(history: Stretch) -> tuple[SwapLine, ...]:
    """One for each swap that a page can show. Where labels have no room, the newest has one."""
    lines = [_line(swap, history) for swap in shown_swaps(history.swaps)]
    free = float("inf")
    for place in sorted(range(len(lines)), key=lambda place: -lines[place].seconds):
        left = float(lines[place].left.removesuffix("%"))
        if free - left >= _APART:
            lines[place], free = replace(lines[place], is_labelled=True), left
    return tuple(lines)


def shown_swaps(swaps: Sequence[Swap]) -> Sequence[Swap]:
    """Without those that a restart brought, which changed nothing; more than anybody could read are shown as none."""
    changed = _changed(swaps)
    return changed if len(changed) <= MOST else ()


def are_too_many(swaps: Sequence[Swap]) -> bool:
    """Whether none is shown for that reason."""
    return len(_changed(swaps)) > MOST


def _changed(swaps: Sequence[Swap]) -> Sequence[Swap]:
    return [swap for swap in swaps if swap.cause != "restart"]


def _line(swap: Swap, history: Stretch) -> SwapLine:
    begins, length = history.begins.timestamp(), (history.ends - history.begins).total_seconds() or 1.0
    at = swap.at.timestamp()
    return SwapLine(f"{(at - begins) / length * 100:.1f}%", swap.model, swap.version, clock(swap.at, history), int(at))
