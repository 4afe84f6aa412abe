"""What a model's workers printed, as its page shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

from loader.workers.printed_lines import PrintedLine


@dataclass(frozen=True)
class LogLine:
    """Texts, none of them escaped."""

    at: str
    version: str
    text: str


def log_lines(lines: Sequence[PrintedLine], labels: Mapping[str, str]) -> tuple[LogLine, ...]:
    """In the order in which they were printed; `lines`: the newest first. `labels`: versions by release."""
    return tuple(
        LogLine(f"{line.at.astimezone(UTC):%H:%M:%S}", labels.get(line.release, line.release[:7]), line.line)
        for line in reversed(lines)
    )
