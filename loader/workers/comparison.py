"""Where an answer differs from what was expected."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import msgspec

_SHOWN = 200


def difference(expected: Any, got: Any, tolerance: float, *, some: bool = False) -> str | None:
    """Where `got` (JSON) differs from `expected`, in words; None where it doesn't by more than `tolerance`.

    `some`: a dict may have more keys than are expected.
    """
    try:
        return next(_Comparison(tolerance, some).differences(expected, got, "the answer"), None)
    except RecursionError:
        return "the answer, or what is expected, is nested too deeply to be compared"


class _Comparison:
    def __init__(self, tolerance: float, some: bool) -> None:
        self._tolerance = tolerance
        self._some = some

    def differences(self, expected: Any, got: Any, at: str) -> Iterator[str]:
        if isinstance(expected, dict) and isinstance(got, dict):
            yield from self._of_keys(expected, got, at)
            for key in expected:
                yield from self.differences(expected[key], got[key], f"{at}.{key}")
        elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
            for index, (one, other) in enumerate(zip(expected, got, strict=True)):
                yield from self.differences(one, other, f"{at}[{index}]")
        elif not self._same(expected, got):
            yield f"{at} is {_shown(got)}, expected {_shown(expected)}"

    def _of_keys(self, expected: dict[str, Any], got: dict[str, Any], at: str) -> Iterator[str]:
        missing = expected.keys() - got.keys()
        more = set() if self._some else got.keys() - expected.keys()
        if missing and more:
            yield f"{at} is {_shown(got)}, expected {_shown(expected)}"
        elif missing:
            yield f"{at} lacks {_listed(missing)}"
        elif more:
            yield f"{at} also has {_listed(more)}, which is not in expect; expect_some compares just the keys it names"

    def _same(self, expected: Any, got: Any) -> bool:
        if not (_is_number(expected) and _is_number(got)):
            return type(expected) is type(got) and bool(expected == got)
        try:
            return bool(abs(expected - got) <= self._tolerance * max(1.0, abs(expected)))
        except OverflowError:  # a whole number beyond all floats
            return bool(expected == got)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _listed(keys: Collection[str]) -> str:
    return _shortened(", ".join(map(_shown, sorted(keys))))


def _shown(value: Any) -> str:
    return _shortened(msgspec.json.encode(value).decode())


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
