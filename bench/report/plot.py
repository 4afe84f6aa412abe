"""The rates as a picture: bars, drawn as SVG by hand so that nothing has to be installed for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

_WIDTH, _BAR, _GAP, _LABEL, _HEAD = 760, 18, 6, 250, 30
_COLOURS = {"pawl": "#1769aa", "bare": "#9e9e9e"}
_OTHERS = "#b9c7d6"
_STYLE = "text{font:13px sans-serif;fill:#555}.t{font-weight:bold}"

Bars = Sequence[tuple[str, str, float]]
"""Contender, title and rate, from top to bottom."""


def svg(charts: Mapping[str, Bars]) -> str:
    """One chart below the other, each with a scale of its own."""
    parts, top = [], 0
    for title, bars in charts.items():
        parts += [f'<g transform="translate(0,{top})">', *_chart(title, bars), "</g>"]
        top += _HEAD + len(bars) * (_BAR + _GAP) + _GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}"><style>{_STYLE}</style>'
    return "\n".join([head, *parts, "</svg>"]) + "\n"


def _chart(title: str, bars: Bars) -> Iterable[str]:
    yield f'<text class="t" x="0" y="18">{escape(title)}</text>'
    most = max(rate for _, _, rate in bars)
    for number, (contender, name, rate) in enumerate(bars):
        y, width = _HEAD + number * (_BAR + _GAP), max(1.0, (_WIDTH - _LABEL - 80) * rate / most)
        colour = _COLOURS.get(contender, _OTHERS)
        yield f'<text x="{_LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
        yield f'<rect x="{_LABEL}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>'
        yield f'<text x="{_LABEL + width + 6:.1f}" y="{y + 13}">{rate:,.0f}</text>'
