"""Rows as people read them in a terminal, and as programs read them in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pawl.terminal.text import is_terminal, one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

STYLES: Mapping[str, str] = {
    "live": "green",
    "ready": "green",
    "passed": "green",
    "succeeded": "green",
    "failed": "red",
    "lost": "red",
    "rejected": "yellow",
    "canary": "cyan",
    "shadow": "cyan",
    "pinned": "magenta",
    "pending": "cyan",
    "training": "cyan",
    "building": "cyan",
    "starting": "cyan",
    "proving": "cyan",
    "running": "cyan",
    "evaluating": "cyan",
    "retired": "dim",
    "cancelled": "dim",
    "superseded": "dim",
}
"""Colours of what a cell says first."""


@dataclass(frozen=True)
class Cell:
    """A value, told for people otherwise than for programs: `2 h ago` for a time."""

    plain: str
    shown: str
    style: str = ""


Value = str | int | float | Cell | None


def print_rows(titles: Sequence[str], rows: Sequence[Sequence[Value]], nothing: str) -> None:
    """A table for a terminal, or the line `nothing`; else a line for each row, with tabs between, and nothing cut."""
    if not is_terminal():
        print_lines(rows)
    elif rows:
        console().print(table(titles, rows))
    else:
        sys.stdout.write(f"{nothing}\n")


def print_fields(fields: Iterable[tuple[str, Value]]) -> None:
    """Those that say something, a line for each."""
    told = [(name, value) for name, value in fields if value not in (None, "")]
    if is_terminal():
        console().print(fields_table(told))
    else:
        print_lines(told)


def print_lines(rows: Iterable[Sequence[Value]]) -> None:
    for row in rows:
        sys.stdout.write("\t".join(map(_plain, row)) + "\n")
    sys.stdout.flush()


def table(titles: Sequence[str], rows: Sequence[Sequence[Value]]) -> Table:
    from rich.table import Table

    drawn = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    cells = [[_text(value) for value in row] for row in rows]
    told = [place for place in range(len(titles)) if any(row[place] for row in cells)]  # a screen is narrow
    for place in told:
        drawn.add_column(titles[place], no_wrap=place != len(titles) - 1, overflow="fold")
    for row in cells:
        drawn.add_row(*(row[place] for place in told))
    return drawn


def fields_table(fields: Iterable[tuple[str, Value]]) -> Table:
    from rich.table import Table

    drawn = Table.grid(padding=(0, 2, 0, 0))
    drawn.add_column(style="bold", no_wrap=True)
    drawn.add_column(overflow="fold")
    for name, value in fields:
        drawn.add_row(name, _text(value, is_long=True))
    return drawn


def console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _plain(value: Value) -> str:
    return one_line(value.plain if isinstance(value, Cell) else "" if value is None else value)


def _text(value: Value, is_long: bool = False) -> Text:
    from rich.text import Text

    from pawl.terminal.text import printable

    cell = value if isinstance(value, Cell) else Cell("", "" if value is None else str(value))
    shown = printable(cell.shown) if is_long else one_line(cell.shown)
    return Text(shown, style=cell.style or STYLES.get(shown.partition(" ")[0], ""))
