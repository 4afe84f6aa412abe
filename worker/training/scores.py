"""From what the author's code returned to scores by name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import ContractBroken, ScoresMissing

_FORMS = "return a dict of numbers, a number, or a tuple or list of numbers"
_MOST = 1000
LONGEST_NAME = 200
NAME_FORM = f"a name is text of 1 to {LONGEST_NAME} printable characters"
_LONGEST_SHOWN = 200


def read_scores(returned: Any, place: str) -> dict[str, float]:
    """`place`: which function returned it, and where that is. Raises ScoresMissing and ContractBroken."""
    named = _named(returned, place)
    if not named:
        raise ScoresMissing(f"{place} returned {shown(returned)}, which holds no score: {_FORMS}")
    if len(named) > _MOST:
        raise ContractBroken(f"{place} returned {len(named):,} scores; at most {_MOST:,} are taken")
    return {_name(key, place): _score(value, key, place) for key, value in named.items()}


def number(value: Any) -> float:
    """A Python number, or what converts to one: scalars of numpy, tensors without dimensions.

    Raises TypeError for anything else.
    """
    if isinstance(value, float | int):
        return _as_float(value)
    if isinstance(value, str | bytes | complex) or not hasattr(type(value), "__float__"):
        raise TypeError
    if len(getattr(value, "shape", ())):
        raise TypeError
    return _as_float(value)


def is_name(name: Any) -> bool:
    """Whether a score can be named so."""
    return isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and name.isprintable()


def shown(value: Any) -> str:
    """What a message says of a value."""
    try:
        text = ascii(value)
    except Exception:  # the author's code
        text = "(it can't be shown)"
    text = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    return text if value is None else f"{text} (a {type(value).__qualname__})"


def _named(returned: Any, place: str) -> Mapping[Any, Any]:
    if returned is None:
        return {}
    if isinstance(returned, Mapping):
        return returned
    if isinstance(returned, tuple | list):
        return _numbered(returned)
    try:
        number(returned)
    except TypeError:
        raise ContractBroken(f"{place} returned {shown(returned)}, which is not a score: {_FORMS}") from None
    return {"score": returned}


def _numbered(several: Iterable[Any]) -> dict[str, Any]:
    return {f"score_{index}" if index else "score": value for index, value in enumerate(several)}


def _name(key: Any, place: str) -> str:
    if not is_name(key):
        raise ContractBroken(f"{place} returned a score named {shown(key)}; {NAME_FORM}")
    return str(key)


def _score(value: Any, key: str, place: str) -> float:
    try:
        score = number(value)
    except TypeError:
        raise ContractBroken(f"{place} returned {shown(value)} as {key}, which is not a number: {_FORMS}") from None
    if not math.isfinite(score):
        raise ScoresMissing(f"{place} returned {score} as {key}, which says nothing: a score is a finite number")
    return score


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except Exception:  # the author's code, or a tensor's that holds several
        raise TypeError from None
