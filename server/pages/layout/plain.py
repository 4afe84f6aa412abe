"""Text of strangers, without characters that nobody sees and that turn the text around them."""

from __future__ import annotations

import re

_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that change the direction of text (Unicode Bidirectional Algorithm, UAX 9)."""


def plain(value: object) -> object:
    """As templates show it. What is marked as safe stays: it was escaped, in a form say that sends it back as it is."""
    if type(value) is str and value.isprintable():
        return value  # as nearly all is, and this is a tenth of the search
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return _UNSEEN.sub("", value)
    return value
