"""YAML of plain values: what it holds, JSON can hold too, unchanged.

Scalars are read as YAML 1.1 reads them (`yes` is true, `0x1F` and `1_000` are numbers), but for times and for numbers
of base sixty, which stay text, and for `1e-3`, which is a number as in JSON and in YAML 1.2. Tags of other kinds,
aliases and keys that come twice are refused, with their line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

DEPTH = 64
"""Lists and mappings inside each other."""
MOST_BYTES = 1 << 20

Path = tuple[str | int, ...]


class NotPlain(ValueError):
    """The text is YAML, but of values that JSON has not."""


@dataclass(frozen=True)
class Document:
    content: Any
    lines: Mapping[Path, int]
    """From 1, by the path of the key."""


def read_yaml(text: bytes) -> Document:
    """What YAML holds; None when it is empty. Raises YAMLError or NotPlain, which begins with the line."""
    if len(text) > MOST_BYTES:
        raise NotPlain("is larger than a megabyte; keep data in files of its own")
    try:
        return _Reader(text).document()
    except yaml.YAMLError:
        joined = _PAIR.sub(_join, text)
        if joined == text:
            raise
        return _Reader(joined).document()


_Loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader  # the former is ten times faster

_PAIR = re.compile(rb"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


def _join(pair: re.Match[bytes]) -> bytes:
    """A character as JSON escapes it, by two halves, which YAML takes for two that are none."""
    high, low = (int(half, 16) for half in pair.groups())
    return b"\\U%08X" % (0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


class _Reader:
    """Builds values from a parser's events: as they come, so that a bound stops the parser too."""

    def __init__(self, text: bytes) -> None:
        self._events: Iterator[Any] = iter(yaml.parse(text, _Loader))
        self._lines: dict[Path, int] = {}

    def document(self) -> Document:
        next(self._events)  # the stream's start
        content = None
        if not isinstance(next(self._events), yaml.StreamEndEvent):
            content = self._value(next(self._events), ())
            next(self._events)  # the document's end
            if not isinstance(more := next(self._events), yaml.StreamEndEvent):
                raise NotPlain(f"line {_line(more)}: a second document begins; takes one")
        return Document(content, self._lines)

    def _value(self, event: Any, path: Path) -> Any:
        if isinstance(event, yaml.AliasEvent):
            alias = shortened(f"*{event.anchor}")
            raise NotPlain(f"line {_line(event)}: the alias {alias} is not taken; write out what it stands for")
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event, path)
        kind = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
        if event.tag not in (None, "!", f"{_TAG}{kind}"):
            raise _not_taken(event)
        if len(path) >= DEPTH:
            raise NotPlain(f"line {_line(event)}: {_named(path)} is nested more than {DEPTH} deep; make it flatter")
        return self._mapping(path) if kind == "map" else self._sequence(path)

    def _sequence(self, path: Path) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(event, (*path, len(found))))
        return found

    def _mapping(self, path: Path) -> dict[str, Any]:
        found: dict[Any, Any] = {}
        no_text: tuple[int, str] | None = None
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, path)
            if key in found:
                raise NotPlain(f"line {_line(event)}: {_named((*path, key))} comes a second time; keep one")
            if not isinstance(key, str):
                no_text = no_text or (_line(event), str(event.value))
            elif len(path) < _LINES_DEPTH:
                self._lines[*path, key] = _line(event)
            found[key] = self._value(next(self._events), (*path, key if isinstance(key, str) else event.value))
        if no_text is not None:
            line, written = no_text
            raise NotPlain(
                f"line {line}: {_named(path)} is {shortened(repr(found))}; it takes keys, all of them text, and values "
                f"(put {shortened(written) or 'the empty key'} in quotes)"
            )
        return found

    def _key(self, event: Any, path: Path) -> Any:
        if not isinstance(event, yaml.ScalarEvent):
            raise NotPlain(f"line {_line(event)}: a key in {_named(path)} is not text; every key must be text")
        return _scalar(event, path)


_LINES_DEPTH = 3
"""Deeper keys are the author's own, and can't be wrong."""


def _scalar(event: Any, path: Path) -> Any:
    plain, quoted = event.implicit
    if plain:
        value = _resolved(event.value, event, path)
    elif quoted or event.tag in ("!", f"{_TAG}str"):
        value = event.value
    else:
        value = _tagged(event, path)
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise NotPlain(f"line {_line(event)}: {_named(path)} holds half a character; write it whole") from None
    return value


def _resolved(text: str, event: Any, path: Path) -> Any:
    """The value that plain text stands for."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        number: int | float = _integer(text) if len(text) <= _LONGEST_NUMBER else math.inf
        if not _LEAST <= number <= _MOST:
            raise NotPlain(f"line {_line(event)}: {_named(path)} is {shortened(text)}; takes whole numbers of 64 bits")
        return number
    if _FLOAT.fullmatch(text):
        number = float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
        if not math.isfinite(number):
            raise NotPlain(f"line {_line(event)}: {_named(path)} is {shortened(text)}; takes finite numbers")
        return number
    if _EXPONENT.fullmatch(text) and math.isfinite(number := float(text)):  # 12e4567 may be the hash of a commit
        return number
    return text


def _integer(text: str) -> int:
    digits = text.replace("_", "").lower()
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    if digits.startswith("0b"):
        return sign * int(digits[2:], 2)
    if digits.startswith("0x"):
        return sign * int(digits[2:], 16)
    return sign * int(digits, 8 if digits.startswith("0") else 10)


def _tagged(event: Any, path: Path) -> Any:
    """A value whose tag says of which kind it is."""
    kinds = _KINDS.get(event.tag.removeprefix(_TAG), ())
    value = _resolved(event.value, event, path)
    if type(value) not in kinds:
        raise _not_taken(event)
    return kinds[0](value) if value is not None else None


_TAG = "tag:yaml.org,2002:"
_KINDS: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "null": (type(None),),
}
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
_INTEGER = re.compile(r"[-+]?(0b_*[01][01_]*|0x_*[0-9a-fA-F][0-9a-fA-F_]*|0[0-7_]*|[1-9][0-9_]*)")
_FLOAT = re.compile(
    r"[-+]?([0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?|\.(inf|Inf|INF))|\.(nan|NaN|NAN)"
)
_EXPONENT = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+")
"""Numbers of JSON and YAML 1.2 that YAML 1.1 takes for text."""
_LONGEST_NUMBER = 200
_LEAST, _MOST = -(2**63), 2**64 - 1


def _not_taken(event: Any) -> NotPlain:
    tag = event.tag.replace(_TAG, "!!")
    return NotPlain(f"line {_line(event)}: the tag {shortened(tag)} is not taken here; write a plain value")


def _named(path: Path) -> str:
    """Like `metadata.labels[1]`."""
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
    return shortened(name) or "the file"


def shortened(text: str) -> str:
    """As much of it as a message quotes."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


_SHOWN = 60


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
