"""From a request's body to the variables that the author's method takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from ...errors import ElementFailed, InvalidVariables, misfit
from ...wire.messages import MAX_VARIABLES
from .malformed import malformed
from .unwrapped import FORM, unwrapped

Decode = Callable[[bytes], Any]
"""From a body to one request's variables, or to a list of them where the body holds a list.

Raises MalformedJson and InvalidVariables, among others for a body with other keys than `variables` alone.
"""


class _AsSent(msgspec.Struct):
    variables: dict[str, Any] | list[dict[str, Any]] | msgspec.UnsetType | None = msgspec.UNSET


class _Unread(msgspec.Struct):
    variables: msgspec.Raw = msgspec.Raw(b"")


_NONE = (b"", b"null")
_decode_as_sent = msgspec.json.Decoder(_AsSent).decode
_decode_unread = msgspec.json.Decoder(_Unread).decode
_decode_parts = msgspec.json.Decoder(dict[str, msgspec.Raw] | list[msgspec.Raw] | None).decode
_decode_many = msgspec.json.Decoder(list[msgspec.Raw]).decode


def as_sent(body: bytes) -> Any:
    """Dicts, as they were sent."""
    if not body:
        return {}
    variables = _parse(_decode_as_sent, body, ".variables").variables
    if type(variables) is dict:
        return variables
    if type(variables) is list:
        _check_count(variables)
        return variables
    if variables is msgspec.UNSET:
        _check_empty(body)
    return {}


def unread(body: bytes) -> bytes:
    """For a method that takes the body as it is."""
    return body


def ignored(body: bytes) -> Any:
    """For a method that takes nothing: only whether a list was sent matters, for then one comes back."""
    content = _parse(msgspec.json.decode, body, ".variables") if body else None
    variables = content.get("variables") if isinstance(content, dict) else None
    if isinstance(variables, list):
        _check_count(variables)
        return variables
    return None


def one_by_one(convert: Callable[[bytes], Any]) -> Decode:
    """For a method with a type of its own: `convert` gets the JSON of one request's variables.

    It raises InvalidVariables, with its field relative to them.
    """

    def decode(body: bytes) -> Any:
        raw = bytes(_parse(_decode_unread, body, ".variables").variables) if body else b"null"
        if raw.startswith(b"["):
            return _convert_many(convert, raw)
        if not raw:
            _check_empty(body)
        return convert(b"{}" if raw in _NONE else raw)

    return decode


def as_dataframe(dataframes: Any) -> Decode:
    """One row for each request's variables. `dataframes`: the pandas module, which only some folders have."""

    def one_row(variables: dict[str, Any]) -> Any:
        return dataframes.json_normalize(variables) if variables else dataframes.DataFrame(index=[0])

    def decode(body: bytes) -> Any:
        variables = as_sent(body)
        return [one_row(each) for each in variables] if type(variables) is list else one_row(variables)

    return decode


def msgspec_converter(kind: Any) -> Callable[[bytes], Any]:
    """For dataclasses, TypedDicts and Structs. Raises TypeError for a type that msgspec can't decode."""
    decode = msgspec.json.Decoder(kind).decode

    def convert(raw: bytes) -> Any:
        return _parse(decode, raw)

    return convert


def _parse(decode: Callable[[bytes], Any], body: bytes, variables_at: str = "") -> Any:
    """`variables_at`: where in the body the variables are, if it is more than they."""
    try:
        if not body.isascii():
            body.decode()  # msgspec doesn't look into the strings that it skips
        return decode(body)
    except msgspec.ValidationError as error:
        _check_json(body)
        if variables_at and not body.lstrip().startswith(b"{"):
            raise InvalidVariables(f"the body is JSON, but not an object; send {FORM}") from None
        raise _misfit(_placed(str(error), body), variables_at) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(body, error) from None


def _check_empty(body: bytes) -> None:
    """`body`: an object without `variables`."""
    if refusal := unwrapped(body):
        raise refusal


def _check_json(body: bytes) -> None:
    """What doesn't fit is noticed before the rest is read, which may not be JSON at all."""
    try:
        msgspec.json.decode(body)
    except msgspec.ValidationError:
        pass  # a number out of range
    except (msgspec.DecodeError, RecursionError) as error:
        raise malformed(body, error) from None


def _convert_many(convert: Callable[[bytes], Any], raw: bytes) -> list[Any]:
    many = _parse(_decode_many, raw)
    _check_count(many)
    converted: list[Any] = []
    for index, each in enumerate(many):
        try:
            converted.append(convert(bytes(each)))
        except InvalidVariables as error:
            error.details["index"] = index
            raise
        except Exception as error:  # what the author's validation raises, a refusal perhaps
            raise ElementFailed(index, error) from None
    return converted


def _check_count(many: list[Any]) -> None:
    if len(many) > MAX_VARIABLES:
        raise InvalidVariables(f"variables is a list of {len(many):,}; at most {MAX_VARIABLES:,} are taken")


_TOO_LARGE = "Number out of range"
_SAID = re.compile(r"(?P<said>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?", re.DOTALL)
_PATH = re.compile(r"(?:\[(?P<index>\d+)\])?\.?(?P<field>.*)", re.DOTALL)
_NAMED = re.compile(r"Object (?P<how>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
_HOW = {"missing required": "is missing", "contains unknown": "is not known"}


def _misfit(message: str, variables_at: str) -> InvalidVariables:
    """Msgspec says `Expected ... - at `$.variables[3].age``."""
    said, path = _groups(_SAID, message, "said", "path")
    index, field = _groups(_PATH, (path or "").removeprefix(variables_at), "index", "field")
    if named := _NAMED.fullmatch(said):
        field = f"{field}.{named['name']}" if field else named["name"]
        invalid = InvalidVariables(f"{field} {_HOW[named['how']]}", field)
    else:
        invalid = misfit(said, "" if field == "[...]" else field)
    if index is not None:
        invalid.details["index"] = int(index)
    return invalid


def _placed(message: str, body: bytes) -> str:
    """With the path of a number that no float holds, where msgspec names none or not the keys."""
    if not message.startswith(_TOO_LARGE):
        return message
    path = _too_large(body)
    return f"{_TOO_LARGE} - at `${path}`" if path else message


def _too_large(raw: bytes) -> str:
    """The path of the first in that JSON; empty where it is the value itself."""
    found: Any = None
    with suppress(msgspec.ValidationError):
        found = _decode_parts(raw)
    named = found.items() if type(found) is dict else enumerate(found) if type(found) is list else ()
    for key, part in named:
        try:
            msgspec.json.decode(part)
        except msgspec.ValidationError:
            return (f".{key}" if type(key) is str else f"[{key}]") + _too_large(bytes(part))
    return ""


def _groups(pattern: re.Pattern[str], text: str, *names: str) -> tuple[Any, ...]:
    found = pattern.fullmatch(text)
    assert found is not None
    return found.group(*names)
