"""What commands say of themselves."""

from __future__ import annotations

import re


def unwrapped(text: str | None) -> str:
    """Paragraphs as one line each, to be wrapped anew where they are shown."""
    return re.sub(r"(?<=\S)\n *(?=\S)", " ", text or "")
