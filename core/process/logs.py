"""How the log looks: `2026-06-21T12:00:00.123+02:00 WARN  Iris: what happened`, the same from every process."""

from __future__ import annotations

import logging
import re
import sys
from datetime import datetime

_SHORT = {"WARNING": "WARN", "CRITICAL": "ERROR"}
_INDENT = "    "
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class _Line(logging.Formatter):
    """A message can neither pass for lines of the log's own nor steer a terminal: strangers may be quoted in it."""

    def __init__(self, who: str) -> None:
        super().__init__(f"%(asctime)s %(short)-5s {who and f'{who}: '}%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.short = _SHORT.get(record.levelname, record.levelname)
        first, *more = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", super().format(record)).split("\n")
        indent = "" if all(line.startswith(_INDENT) for line in more) else _INDENT
        return "\n".join([first, *(indent + line for line in more)])

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        return datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")

    def formatException(self, ei: object) -> str:  # noqa: N802
        return "\n".join(_INDENT + line for line in super().formatException(ei).split("\n"))  # type: ignore[arg-type]


def start_logging(level: str, who: str = "") -> None:
    """Everything to stderr, a line each. `who` says it, if not the daemon."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line(who))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("pawl").setLevel(level.upper())
