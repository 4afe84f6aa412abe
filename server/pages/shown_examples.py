"""The examples of live releases that are shown to readers."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec

from core.errors import ReleaseFailed
from loader.workers.examples import Example, read_examples
from server.state import ServerState

_MOST = 5
_LARGEST = 32 * 1024
"""Bytes of one example; a larger one helps no reader."""


def shown_examples(state: ServerState) -> dict[str, tuple[Example, ...]]:
    """By model, the first few examples of handy size. Reads files."""
    return {name: examples_of(model.live.root, name) for name, model in state.models.items() if model.live is not None}


@lru_cache(maxsize=512)  # a release's files never change
def examples_of(root: str, model: str) -> tuple[Example, ...]:
    """Of one live release."""
    try:
        handy = [one for one in read_examples(Path(root) / model) if len(msgspec.json.encode(one)) <= _LARGEST]
    except ReleaseFailed:
        return ()
    return tuple(handy[:_MOST])
