"""What commands say of themselves: paragraphs wrapped to the terminal, examples as they are."""

from __future__ import annotations

import inspect
import re
from typing import Any

import click

_WIDEST = 100


class HelpFormatter(click.HelpFormatter):
    """Titles are bold where colours are seen."""

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{click.style(heading + ':', bold=True)}\n")

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or "Usage: ")


class TextContext(click.Context):
    formatter_class = HelpFormatter


class TextCommand(click.Command):
    """One whose help is a docstring. An indented line is an example, and kept; `--json` may go without its fields."""

    context_class = TextContext

    def __init__(self, *arguments: Any, **options: Any) -> None:
        kept = {"max_content_width": _WIDEST, "help_option_names": ["-h", "--help"]}
        options["context_settings"] = {**kept, **(options.get("context_settings") or {})}
        super().__init__(*arguments, **options)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(self.help or "")):
            formatter.write_paragraph()
            if paragraph.startswith(" "):
                formatter.write(paragraph.rstrip() + "\n")
            else:
                formatter.write_text(" ".join(paragraph.split()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`pawl show --json Iris` names a model and no field."""
        if ctx.resilient_parsing and args and args[-1].startswith("--"):
            args = args[:-1]  # whose value is completed: with that missing, click reads no argument before it either
        try:
            return super().parse_args(ctx, list(args))
        except click.MissingParameter:
            if "--json" not in args[:-1]:
                raise
            place = args.index("--json")
            return super().parse_args(ctx, [*args[:place], "--json=", *args[place + 1 :]])
