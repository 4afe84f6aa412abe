"""Why a body is not valid JSON, in words that lead to what its sender has to change. Only on the way to a refusal."""

from __future__ import annotations

import codecs
import re

from ...errors import MalformedJson

_PLACE = re.compile(r"(?:JSON is malformed: )?(?P<what>.*) \(byte (?P<at>\d+)\)", re.DOTALL)
_TRAILING = "trailing characters"
_TOKEN = re.compile(rb"-?[A-Za-z]+")
_TOKEN_BEGUN = re.compile(rb"-?[A-Za-z]*\Z")
_LONGEST_TOKEN = 16
_INSTEAD = {
    **dict.fromkeys(("nan", "infinity", "inf", "none", "undefined"), "null"),
    **{"true": "true", "false": "false"},
}
"""What to send for what other languages write."""
_HIGH, _LOW, _DIGITS = rb"u[dD][89aAbB]", rb"u[dD][c-fC-F]", rb"[0-9a-fA-F]{2}"
_ESCAPE = re.compile(
    rb"\\(?:\\|" + _HIGH + _DIGITS + rb"\\" + _LOW + rb"|(?P<half>(?:" + _HIGH + rb"|" + _LOW + rb")" + _DIGITS + rb"))"
)
_MARKS = (
    (codecs.BOM_UTF8, "the body begins with a byte order mark; send UTF-8 without one"),
    (codecs.BOM_UTF32_LE, "the body is UTF-32; send UTF-8"),
    (codecs.BOM_UTF16_LE, "the body is UTF-16; send UTF-8"),
    (codecs.BOM_UTF16_BE, "the body is UTF-16; send UTF-8"),
)


def malformed(body: bytes, error: Exception) -> MalformedJson:
    """`error`: what decoding the body raised."""
    return MalformedJson(f"the body is not valid JSON: {_reason(body, error)}")


def _reason(body: bytes, error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if not body.strip():
        return "it is white space only"
    at, what = _found(body, error)
    return f"{_line_and_column(body, at)}: {what}"


def _found(body: bytes, error: Exception) -> tuple[int, str]:
    """The byte where reading had to stop, and why."""
    for mark, what in _MARKS:
        if body.startswith(mark):
            return 0, what
    if b"\0" in body[:2]:
        return 0, "the body is UTF-16; send UTF-8"
    if isinstance(error, UnicodeDecodeError):
        return error.start, "this is not UTF-8"
    place = _PLACE.fullmatch(str(error))
    if place is None or "surrogate" in place["what"]:
        return _end(body)
    at, what = int(place["at"]), place["what"]
    at -= what == _TRAILING  # msgspec has read the first of them
    return _word(body, at) or (at, what)


def _end(body: bytes) -> tuple[int, str]:
    """msgspec calls it truncated, too, where one half of a character is escaped without the other."""
    halves = (escape for escape in _ESCAPE.finditer(body) if escape["half"])
    if half := next(halves, None):
        return half.start(), f"{half[0].decode()} is half of a character"
    return len(body), "it ends too early"


def _word(body: bytes, at: int) -> tuple[int, str] | None:
    """What another language writes for a value, where reading stopped at it, or within it."""
    if body[at : at + 1] == b"'":
        return at, "text and keys take double quotes"
    if body[at : at + 1] < b" ":  # a line break within text, say
        return None
    first = max(0, at - _LONGEST_TOKEN)
    begun = _TOKEN_BEGUN.search(body[first:at])
    start = at if begun is None else first + begun.start()
    token = _TOKEN.match(body, start, start + _LONGEST_TOKEN)
    word = token[0].decode() if token else ""
    instead = _INSTEAD.get(word.lstrip("-").lower())
    return (start, f"{word} is not valid JSON; send {instead}") if instead else None


def _line_and_column(body: bytes, at: int) -> str:
    """Counted from 1, columns in characters."""
    line, start = body.count(b"\n", 0, at) + 1, body.rfind(b"\n", 0, at) + 1
    column = len(body[start:at].decode("utf-8", "replace")) + 1
    return f"line {line}, column {column}"
