"""The terminal, or a file wide enough for the tables."""

import sys

from rich.console import Console

console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
