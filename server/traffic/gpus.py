"""The graphics processors of this machine, as NVIDIA's management library tells of them."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path

import msgspec

_DRIVER = Path("/dev/nvidiactl")


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    index: int
    name: str
    memory_used_bytes: int
    """By all processes of the machine."""
    memory_bytes: int
    busy: float
    """Share of the last second or so in which it computed."""


def gpus() -> list[Gpu]:
    """None where there is no driver, or it doesn't answer."""
    if not _is_open():
        return []
    import pynvml

    with suppress(pynvml.NVMLError):
        return [_gpu(index) for index in range(pynvml.nvmlDeviceGetCount())]
    return []


@cache
def _is_open() -> bool:
    """Whether the library is there; it stays open until the daemon ends."""
    if not _DRIVER.exists():
        return False
    import pynvml  # in functions, for it takes long, and there is mostly no use for it

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return False
    return True


def _gpu(index: int) -> Gpu:
    import pynvml

    device = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(device)
    return Gpu(
        index=index,
        name=str(pynvml.nvmlDeviceGetName(device)),
        memory_used_bytes=int(memory.used),
        memory_bytes=int(memory.total),
        busy=pynvml.nvmlDeviceGetUtilizationRates(device).gpu / 100,
    )
