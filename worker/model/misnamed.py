"""Files that their author means for Pawl, by names that it does not read."""

from __future__ import annotations

import os

_MEANT = {"model.yml": "model.yaml"} | {name: name for name in ("model.yaml", "examples.json", "requirements.txt")}


def misnamed(folder: str) -> list[str]:
    """What to tell of them, a line each."""
    names = set(os.listdir(folder))
    meant = {name: _MEANT.get(name.lower()) for name in sorted(names)}
    return [f"{name} is not read; its name is {right}" for name, right in meant.items() if right and right not in names]
