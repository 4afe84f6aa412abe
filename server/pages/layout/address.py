"""The query of a page's address: what is empty is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlencode


def address(**values: str) -> str:
    """`?q=fraud&state=live`, or `?` where nothing is left."""
    return "?" + urlencode({name: value for name, value in values.items() if value})


def addresses(present: Mapping[str, str]) -> Callable[..., str]:
    """Addresses that differ from the present one in what is given."""
    return lambda **other: address(**{**present, **other})
