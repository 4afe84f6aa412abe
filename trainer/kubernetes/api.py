"""What the rest of this folder asks of an API server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

Object = dict[str, Any]
"""Raw JSON."""


class Api(Protocol):
    """All raise ApiError."""

    def call(self, method: str, path: str, query: Mapping[str, str] = {}, body: Object | None = None) -> Object: ...

    def text(self, path: str, query: Mapping[str, str] = {}) -> str: ...

    def watch(self, path: str, query: Mapping[str, str], seconds: float) -> Iterator[Object]:
        """Once it is there, the events, until the server ends it; it is asked to after so many seconds."""
        ...
