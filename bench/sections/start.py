"""What a worker's start consists of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bench.sections.markdown import measured_on, table

_PROGRAMS = "Programs, each of which does what the one above it does, and something besides:"
_WORKERS = "Whole workers, from the daemon's wish to their being ready; memory is what each has for itself:"


def section(content: Any) -> Iterable[str]:
    """Paragraphs, from the JSON of `scripts/bench start`."""
    yield "## The start of a worker\n"
    yield f"{measured_on(content)} Medians of {content['starts']} starts.\n"
    for what, costs in ((_PROGRAMS, content["programs"]), (_WORKERS, content["workers"])):
        yield f"{what}\n"
        yield table(["", "ms", "CPU ms", "MB"], map(_line, costs))


def _line(cost: Mapping[str, Any]) -> list[str]:
    memory = "" if cost["memory_mb"] is None else f"{cost['memory_mb']:.1f}"
    return [cost["what"], f"{cost['wall_ms']:.0f}", f"{cost['cpu_ms']:.0f}", memory]
