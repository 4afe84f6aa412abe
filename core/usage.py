"""What one server has taken of its machine in some stretch of time, as sums that add up."""

from __future__ import annotations

import msgspec


class UsageSums(msgspec.Struct, frozen=True):
    """Of samples, one a minute."""

    samples: int
    memory_bytes: int
    cores: float = 0.0
    """Processors that were busy with it."""
    cores_samples: int = 0
    """Those in which that could be told."""
    gpu_memory_bytes: int = 0
    """Of all GPUs, by all processes."""
    gpu_samples: int = 0
    """Those with a GPU."""
