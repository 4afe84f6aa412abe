"""The lines of a requirements file, as pip joins them: decoded, continuations resolved, comments gone."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

MAX_BYTES = 1 << 20
"""Of one requirements file; longer ones are refused."""
MAX_CHARACTERS = 16_384
"""Of one line, continuations joined."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")  # PEP 263
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_COMMENT_ALONE = re.compile(r"\s*#")


class Unreadable(ValueError):
    """What is wrong with the text of a file, in words."""


def logical_lines(data: bytes) -> Iterator[str]:
    """Each with single spaces between its words. Raises Unreadable."""
    if len(data) > MAX_BYTES:
        raise Unreadable(f"is longer than {MAX_BYTES} bytes")
    text = _decoded(data)
    if "\0" in text:
        raise Unreadable("holds NUL characters; save it as plain text, in UTF-8")
    for line in _joined(text.splitlines()):
        if len(line) > MAX_CHARACTERS:
            raise Unreadable(f"has a line of more than {MAX_CHARACTERS} characters")
        if plain := _COMMENT.sub("", line).strip():
            yield " ".join(plain.split())


def _decoded(data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decode(data[len(mark) :], encoding)
    first = [_CODING.match(line) for line in data.split(b"\n", 2)[:2]]
    named = next((found[1].decode() for found in first if found), "utf-8")
    return _decode(data, named)


def _decode(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except LookupError:
        raise Unreadable(f"says that its encoding is {encoding}, which Python does not know") from None
    except ValueError as error:
        raise Unreadable(f"is not {encoding.upper()}: {error}; save it as UTF-8") from None


def _joined(lines: list[str]) -> Iterator[str]:
    """A comment that ends in a backslash does not go on in the next line."""
    begun: list[str] = []
    for line in lines:
        if _COMMENT_ALONE.match(line):
            yield "".join((*begun, " ", line))
            begun = []
        elif line.endswith("\\"):
            begun.append(line[:-1])
        else:
            yield "".join((*begun, line))
            begun = []
    if begun:
        yield "".join(begun)
