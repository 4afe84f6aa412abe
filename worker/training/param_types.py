"""`get_param_type`: what a class says its parameters are, for those that come as text or as another kind of number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ContractBroken
from .scores import shown

_KINDS: Mapping[Any, Callable[[Any], int | float]] = {
    "int": lambda value: _whole(value),
    "float": float,
    int: lambda value: _whole(value),
    float: float,
}
_CALLED: Mapping[Any, str] = {"int": "an int", int: "an int", "float": "a float", float: "a float"}


def convert(params: Mapping[str, Any], types: Any, place: str) -> dict[str, Any]:
    """The params as `types` has them; those that it doesn't name stay. `place` is where `types` came from.

    Raises ContractBroken.
    """
    if not isinstance(types, Mapping):
        raise ContractBroken(f'{place} returned {shown(types)}; it has to return a dict of names to "int" or "float"')
    return {name: _converted(name, value, types, place) for name, value in params.items()}


def _converted(name: str, value: Any, types: Mapping[Any, Any], place: str) -> Any:
    if name not in types or value is None:
        return value
    kind = types[name]
    if not isinstance(kind, str | type) or kind not in _KINDS:
        raise ContractBroken(f'{place} returned {shown(kind)} as {name}; a type is "int" or "float"')
    try:
        return _KINDS[kind](value)
    except (TypeError, ValueError, OverflowError):
        raise ContractBroken(
            f"model.yaml: train.params has {shown(value)} as {name}, and {place} says that it is {_CALLED[kind]}"
        ) from None


def _whole(value: Any) -> int:
    """A search tries numbers in between; `int` cuts their fraction off. Text may hold a fraction, too."""
    try:
        return int(value)
    except ValueError:
        return int(float(value))
