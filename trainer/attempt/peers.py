"""What the other runs of this machine take of the memory that all of them share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trainer.attempt import process_tree
from trainer.attempt.identity import find


def taken_by_peers(attempt: Path) -> Iterator[int]:
    """Bytes of resident memory that each other attempt's processes take, beside `<home>/<run key>/a<attempt>/`."""
    for identity in attempt.parents[1].glob("*/a*/process.json"):
        peer = identity.parent
        if peer != attempt and (process := find(peer)) is not None and process.is_alive:
            yield process_tree.resident(process.pid)
