"""What the server's processes have taken of the machine so far."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Taken:
    """At one moment."""

    cpu_s: float
    """Seconds that its processes have computed, those that have ended not among them."""
    memory_bytes: int
    gpu_memory_bytes: int | None
    """Of all GPUs; None where there is none."""
