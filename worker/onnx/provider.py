"""Where ONNX Runtime computes: from a device's name to execution providers, and what really came of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import onnxruntime

from ..errors import LoadFailed

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"

Provider = str | tuple[str, dict[str, Any]]

_KNOWN = re.compile(r"cpu|auto|cuda(:\d+)?")

_FATAL, _WARNING = 4, 2
"""Severities; the second is ONNX Runtime's default."""


def providers_for(device: str) -> list[Provider]:
    """What to ask ONNX Runtime for. `device`: `cpu`, `cuda`, `cuda:N`, or `auto`. Raises LoadFailed."""
    if not _KNOWN.fullmatch(device):
        raise LoadFailed(f"device {device!r} is unknown: it is cpu, cuda, cuda:N or auto")
    if device == "cpu" or (device == "auto" and not _has_cuda()):
        return [CPU]
    if not _has_cuda():
        raise LoadFailed(f"device {device} was asked for, but {_why_no_cuda()}; set the device to cpu or auto")
    _load_cuda_libraries()
    return [(CUDA, {"device_id": int(device.partition(":")[2] or 0)}), CPU]


def running(device: str, session: Any) -> str:
    """The provider that a session really runs on. Raises LoadFailed where CUDA was asked for and did not come."""
    first = str(session.get_providers()[0])
    if device.startswith("cuda") and first != CUDA:
        raise LoadFailed(
            f"device {device} was asked for, but ONNX Runtime fell back to {first}: its CUDA libraries could not be "
            "loaded (`pip install onnxruntime-gpu[cuda,cudnn]`), or there is no such GPU; set the device to cpu or auto"
        )
    return first


@contextmanager
def quiet() -> Iterator[None]:
    """ONNX Runtime writes to stderr that a provider can't be loaded, whatever a session's own log level is."""
    onnxruntime.set_default_logger_severity(_FATAL)
    try:
        yield
    finally:
        onnxruntime.set_default_logger_severity(_WARNING)


def _has_cuda() -> bool:
    return CUDA in onnxruntime.get_available_providers() and _has_gpu()


def _has_gpu() -> bool:
    """Asking the driver would take a second; its files say enough."""
    return any(Path(each).exists() for each in ("/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg"))


def _why_no_cuda() -> str:
    return "no NVIDIA GPU is visible here" if not _has_gpu() else "this ONNX Runtime is built without CUDA"


def _load_cuda_libraries() -> None:
    """From the wheels that `onnxruntime-gpu[cuda,cudnn]` brings, where the system has none. It prints what it misses;
    what really came of it is seen in the session."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        onnxruntime.preload_dlls()
