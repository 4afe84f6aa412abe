"""From what the author's method returned to the JSON of an answer."""

from __future__ import annotations

import re
import sys
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from ...errors import BadAnswer, RequestFailed
from ...wire.frames import MAX_ANSWER
from ..pydantic_types import as_plain
from .unwritable import ADVICE, UnknownType, type_name, why_unwritable

_encode_json = msgspec.json.encode


def encode_answer(answer: Any, most: int = MAX_ANSWER) -> bytes:
    """One answer as a JSON object of at most so many bytes.

    Takes a dict or a typed value: a dataclass, a Struct, a pydantic model. Raises BadAnswer for all else.
    """
    try:
        # A dataclass of pydantic's has serializers and aliases, and msgspec would take it for any dataclass.
        encoded = _encoder.encode(answer if type(answer) is dict else as_plain(answer))
        if (b"NaN" in encoded or b'Infinity"' in encoded) and _not_finite(encoded):
            encoded = _with_nulls(answer)
    except BadAnswer:
        raise
    except Exception as error:  # beside what msgspec raises, whatever the properties and hooks of author's types do
        raise BadAnswer(why_unwritable(answer, error, _encoder.encode)) from error
    if not encoded.startswith(b"{"):
        raise BadAnswer(f"the answer is {type_name(answer)}: {ADVICE}")
    return _bounded(encoded, most)


def join_answers(answers: list[bytes], most: int = MAX_ANSWER) -> bytes:
    """The JSON list of several answers."""
    return _bounded(b"[" + b",".join(answers) + b"]", most)


def encode_error(error: RequestFailed) -> bytes:
    return _encode_json({"error": {"code": error.code, "message": str(error), **error.details}})


_PLAIN: tuple[type, ...] = (str, int, float, dict, list, tuple)
"""What msgspec takes only as itself, not as an author's class derived from it."""


def _convert(value: Any) -> Any:
    """What msgspec doesn't know. Libraries are looked up, never imported: a value of theirs proves that they are."""
    if (numpy := sys.modules.get("numpy")) is not None and isinstance(value, (numpy.ndarray, numpy.generic)):
        return _convert_numpy(value, numpy)
    if (pandas := sys.modules.get("pandas")) is not None:
        if value is pandas.NaT or value is pandas.NA:
            return None
        if isinstance(value, pandas.DataFrame):
            return value.to_dict("records")
    if (plain := as_plain(value)) is not value:
        return plain
    if isinstance(value, date):  # msgspec takes these types themselves, but not what derives from them: a Timestamp
        return value.isoformat()
    for plain in _PLAIN:
        if isinstance(value, plain) and type(value) is not plain:
            return plain(value)
    if isinstance(value, timedelta):
        return timedelta(value.days, value.seconds, value.microseconds)
    if callable(to_list := getattr(value, "tolist", None)):  # pandas' columns, tensors of the deep-learning libraries
        return to_list()
    raise UnknownType(value)


def _convert_numpy(value: Any, numpy: Any) -> Any:
    kind = value.dtype.kind
    if kind == "c":
        raise UnknownType(value)
    if value.ndim:
        return list(value) if kind in "Mm" else value.tolist()
    if kind == "M":
        return None if numpy.isnat(value) else str(value)
    if kind == "m":
        return None if numpy.isnat(value) else value.astype("timedelta64[us]").item()
    return float(value) if kind == "f" else value.item()  # item() of a long double is itself


_encoder = msgspec.json.Encoder(enc_hook=_convert)

_not_finite = re.compile(rb'"-?(?:s?NaN\d*|Infinity)"').search
"""What msgspec makes of such a Decimal, which is text; it makes null of such a float by itself."""


def _with_nulls(answer: Any) -> bytes:
    plain = msgspec.to_builtins(as_plain(answer), builtin_types=(Decimal,), enc_hook=_convert)
    return _encoder.encode(_finite(plain))


def _finite(value: Any) -> Any:
    """With None for each Decimal that is no number."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_finite(one) for one in value]
    return None if isinstance(value, Decimal) and not value.is_finite() else value


def _bounded(encoded: bytes, most: int) -> bytes:
    if len(encoded) > most:
        raise BadAnswer(f"the answer is {len(encoded):,} bytes of JSON; at most {most:,} are sent")
    return encoded
