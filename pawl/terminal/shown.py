"""What a command has to show, once or again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from pawl.terminal.table import Value, console, fields_table, print_fields, print_rows, table
from pawl.terminal.text import is_terminal, printable

_LOOK_S = 2.0


@dataclass(frozen=True)
class Shown:
    """A list."""

    answer: Any
    """As the server gave it, for programs."""
    titles: Sequence[str]
    rows: Sequence[Sequence[Value]]
    nothing: str
    """Where there are none, for people."""
    warnings: Sequence[str] = ()
    """What is wrong besides."""

    def print(self) -> None:
        print_rows(self.titles, self.rows, self.nothing)

    def drawn(self) -> Any:
        drawn = table(self.titles, self.rows) if self.rows else self.nothing
        if not self.warnings:
            return drawn
        from rich.console import Group

        return Group(drawn, *self.warnings)


@dataclass(frozen=True)
class ShownFields:
    """One thing."""

    answer: Any
    fields: Sequence[tuple[str, Value]]

    def print(self) -> None:
        print_fields(self.fields)

    def drawn(self) -> Any:
        return fields_table([(name, value) for name, value in self.fields if value not in (None, "")])


def show(look: Callable[[], Shown | ShownFields], fields: str | None, watch: bool = False) -> None:
    """What `look` finds; with `watch` until Ctrl-C. `fields`: None, or those to print as JSON."""
    if not watch:
        _print(look(), fields)
    elif fields is None and is_terminal():
        _watch(look)
    else:
        _print_changes(look, fields)


def _print(found: Shown | ShownFields, fields: str | None) -> None:
    for warning in found.warnings if isinstance(found, Shown) else ():
        click.echo(f"pawl: {printable(warning)}", err=True)
    if fields is None:
        found.print()
    else:
        from pawl.terminal.json_output import print_json

        print_json(found.answer, fields)


def _print_changes(look: Callable[[], Shown | ShownFields], fields: str | None) -> None:
    before: Any = None
    while True:
        found = look()
        if found.answer != before:
            _print(found, fields)
            before = found.answer
        time.sleep(_LOOK_S)


def _watch(look: Callable[[], Shown | ShownFields]) -> None:
    from rich.live import Live

    with Live(look().drawn(), console=console(), auto_refresh=False, transient=False) as live:
        while True:
            time.sleep(_LOOK_S)
            live.update(look().drawn(), refresh=True)
