"""The table of formats: how what a method returned, or raised, becomes an answer to a body of each.

How such a body becomes variables depends on what the method takes, so that is found when a model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import RequestFailed
from ..wire.frames import Format
from ..wire.spans import TRACED
from .pawl_json.answers import encode_answer, encode_error, join_answers


@dataclass(frozen=True)
class Codec:
    """Writes answers in one format."""

    encode: Callable[[Any], bytes]
    """From what the method returned. Raises BadAnswer."""
    join: Callable[[list[bytes]], bytes]
    """From encoded answers to the one answer to a list. Raises BadAnswer."""
    encode_error: Callable[[RequestFailed], bytes]


_BY_FORMAT: dict[int, Codec] = {
    Format.PAWL_JSON: Codec(encode_answer, join_answers, encode_error),
}

CODECS: Mapping[int, Codec] = {**_BY_FORMAT, **{format | TRACED: codec for format, codec in _BY_FORMAT.items()}}
"""By the number that a frame has."""
