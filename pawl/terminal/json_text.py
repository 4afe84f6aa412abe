"""JSON as commands read and write it.

With the standard library's module: importing msgspec takes as long as the rest of a short command.
"""

from __future__ import annotations

import json
from typing import Any


def read_json(text: str | bytes) -> Any:
    """Raises ValueError."""
    return json.loads(text)


def json_text(value: Any, indent: int | None = None) -> str:
    """On one line, unless it is indented."""
    separators = (",", ": " if indent else ":")
    return json.dumps(value, ensure_ascii=False, separators=separators, indent=indent)
