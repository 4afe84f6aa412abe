from __future__ import annotations

import pytest

from server.gateways.connection_limit import connections_within


@pytest.mark.parametrize(
    ("limit", "allowed"), [(1, 1), (256, 128), (1024, 512), (20_000, 19_000), (21_000, 20_000), (1 << 20, 20_000)]
)
def test_connections_leave_descriptors_for_what_else_a_gateway_opens(limit: int, allowed: int) -> None:
    assert connections_within(limit) == allowed
