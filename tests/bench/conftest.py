"""Measurements end all that was started beside them, so their servers are started as users start them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serving import IN_TESTS


@pytest.fixture(scope="module", autouse=True)
def _as_users_start_them() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(IN_TESTS)
        yield
