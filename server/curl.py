"""How a model is tried: a command to copy."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import msgspec

from loader.workers.examples import Example


def curl(url: str, examples: Sequence[Example], *, takes_nothing: bool = False) -> str:
    """A shell's line that asks for a prediction, with the variables that are the shortest to type."""
    if takes_nothing:
        return f"curl {shlex.quote(url)}"
    bodies = [msgspec.json.encode({"variables": one.variables}).decode() for one in examples if one.variables]
    return f"curl -d {shlex.quote(min(bodies, key=len, default='{}'))} {shlex.quote(url)}"
