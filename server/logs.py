"""How the log looks."""

from __future__ import annotations

import logging
import sys

_SHORT = {"WARNING": "WARN"}


class _Line(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(short)-5s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        record.short = _SHORT.get(record.levelname, record.levelname)
        return super().format(record)


def start_logging(level: str) -> None:
    """Everything to stderr, a line each."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("pawl").setLevel(level.upper())
