from __future__ import annotations

import pytest

from core.errors import PawlError, SourceError, StoreUnavailable
from registry.errors import RegistryUnavailable
from server.http.api.answering import refusal


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (SourceError("the repository is gone"), "source_unavailable"),
        (RegistryUnavailable("the database is away"), "registry_unavailable"),
        (StoreUnavailable("the store is away"), "store_unavailable"),
    ],
)
def test_what_is_away_is_named(refused: PawlError, code: str) -> None:
    answer = refusal(refused)
    assert answer.status_code == 503
    assert f'"code":"{code}"'.encode() in bytes(answer.body)
