"""What all tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ours",
    deadline=None,  # machines stall
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],  # one server for all examples
)
settings.load_profile("ours")
