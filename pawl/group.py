"""Commands that have commands below them, imported when asked for: importing all takes longer than most run."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from pawl.help_text import TextCommand

_ALONE = "list"


@dataclass(frozen=True)
class Listed:
    """A command, as help lists it and as it is found."""

    where: str
    """`module:name`."""
    says: str
    """In a line."""


class LazyGroup(TextCommand, click.Group):
    """Whoever asks for one command imports that one alone."""

    def __init__(self, sections: Mapping[str, Mapping[str, Listed]], **options: Any) -> None:
        """`sections`: in the order of the help, by their titles."""
        super().__init__(**options)
        self._alone: click.Command | None = None
        """What it does where no command below it is named; it goes by `list` too."""
        self._sections = sections
        self._listed = {name: one for section in sections.values() for name, one in section.items()}

    @classmethod
    def around(cls, command: click.Command, sections: Mapping[str, Mapping[str, Listed]]) -> LazyGroup:
        """With what `command` does where none of those below it is named."""
        group = cls(
            sections,
            name=command.name,
            params=command.params,
            help=command.help,
            callback=_alone(command.callback),
            invoke_without_command=True,
        )
        group._alone = command
        return group

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._listed)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        listed = self._listed.get(cmd_name)
        if listed is None:
            return self._alone if cmd_name == _ALONE else None
        module, _, name = listed.where.partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self._listed, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"there is no command {args[0]!r}{meant}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, self._listed), default=0)
        for title, section in self._sections.items():
            with formatter.section(title):
                formatter.write_dl(_rows(section, width))


def _alone(callback: Callable[..., Any] | None) -> Callable[..., Any]:
    """Not where a command below it is named."""
    assert callback is not None

    @functools.wraps(callback)
    def run(**given: Any) -> Any:
        return callback(**given) if click.get_current_context().invoked_subcommand is None else None

    return run


def _rows(section: Mapping[str, Listed], width: int) -> Sequence[tuple[str, str]]:
    """Padded, so that the columns of all sections are one."""
    return [(f"{name:<{width}}", one.says) for name, one in section.items()]
