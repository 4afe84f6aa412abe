"""From what the author's method returned to the JSON of an answer."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from typing import Any

import msgspec

from .errors import BadAnswer, RequestFailed
from .protocol import MAX_ANSWER

_encode_json = msgspec.json.encode


def encode_answer(answer: Any) -> bytes:
    """One answer as a JSON object.

    Takes a dict or a typed value: a dataclass, a Struct, a pydantic model. Raises BadAnswer for all else.
    """
    try:
        encoded = _encoder.encode(answer)
    except BadAnswer:
        raise
    except _Unknown as unknown:
        raise BadAnswer(f"{_place(answer, unknown.value)} is {_type_name(unknown.value)}: {_ADVICE}") from None
    except Exception as error:  # beside what msgspec raises, whatever the properties and hooks of author's types do
        raise BadAnswer(f"the answer can't be written as JSON: {type(error).__name__}: {error}") from error
    if not encoded.startswith(b"{"):
        raise BadAnswer(f"the answer is {_type_name(answer)}: {_ADVICE}")
    return _bounded(encoded)


def join_answers(answers: list[bytes]) -> bytes:
    """The JSON list of several answers."""
    return _bounded(b"[" + b",".join(answers) + b"]")


def encode_error(error: RequestFailed) -> bytes:
    return _encode_json({"error": {"code": error.code, "message": str(error), **error.details}})


_ADVICE = "return a dict of JSON values, or a dataclass, TypedDict, msgspec.Struct or pydantic model of them"


_PLAIN: tuple[type, ...] = (str, int, float, dict, list, tuple)
"""What msgspec takes only as itself, not as an author's class derived from it."""


class _Unknown(Exception):
    def __init__(self, value: object) -> None:
        self.value = value


def _convert(value: Any) -> Any:
    """What msgspec doesn't know. Libraries are looked up, never imported: a value of theirs proves that they are."""
    if (numpy := sys.modules.get("numpy")) is not None and isinstance(value, (numpy.ndarray, numpy.generic)):
        return _convert_numpy(value, numpy)
    if (pandas := sys.modules.get("pandas")) is not None:
        if value is pandas.NaT or value is pandas.NA:
            return None
        if isinstance(value, pandas.DataFrame):
            return value.to_dict("records")
    if (pydantic := sys.modules.get("pydantic")) is not None and isinstance(value, pydantic.BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, date):  # msgspec takes these types themselves, but not what derives from them: a Timestamp
        return value.isoformat()
    for plain in _PLAIN:
        if isinstance(value, plain) and type(value) is not plain:
            return plain(value)
    if isinstance(value, timedelta):
        return timedelta(value.days, value.seconds, value.microseconds)
    if callable(to_list := getattr(value, "tolist", None)):  # pandas' columns, tensors of the deep-learning libraries
        return to_list()
    raise _Unknown(value)


def _convert_numpy(value: Any, numpy: Any) -> Any:
    kind = value.dtype.kind
    if kind == "c":
        raise _Unknown(value)
    if value.ndim:
        return list(value) if kind in "Mm" else value.tolist()
    if kind == "M":
        return None if numpy.isnat(value) else str(value)
    if kind == "m":
        return None if numpy.isnat(value) else value.astype("timedelta64[us]").item()
    return float(value) if kind == "f" else value.item()  # item() of a long double is itself


_encoder = msgspec.json.Encoder(enc_hook=_convert)


def _bounded(encoded: bytes) -> bytes:
    if len(encoded) > MAX_ANSWER:
        raise BadAnswer(f"the answer is {len(encoded):,} bytes of JSON; at most {MAX_ANSWER:,} are sent")
    return encoded


def _type_name(value: object) -> str:
    kind = type(value)
    if value is None:
        return "None"
    return f"of type {kind.__qualname__}" + ("" if kind.__module__ == "builtins" else f" ({kind.__module__})")


def _place(answer: Any, culprit: object) -> str:
    if answer is culprit:
        return "the answer"
    path = _path_to(answer, culprit, depth=20)
    return f"the answer's {path}" if path else "a key, or an attribute, in the answer"


def _path_to(value: Any, culprit: object, depth: int) -> str:
    """Where in nested dicts and lists the culprit is; empty if it is elsewhere, or the value itself."""
    if depth == 0 or not isinstance(value, dict | list | tuple):
        return ""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if item is culprit:
            return f"[{key!r}]"
        if deeper := _path_to(item, culprit, depth - 1):
            return f"[{key!r}]{deeper}"
    return ""
