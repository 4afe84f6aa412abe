"""Where ONNX Runtime computes: from a device's name to execution providers, and why it isn't the GPU."""

from __future__ import annotations

import ctypes
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import onnxruntime

from ..errors import LoadFailed

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"

Provider = str | tuple[str, dict[str, Any]]

GPU_FILES = ("/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg")
"""Any of them is there where a driver is; asking it would take a second."""

RECORD = "session.record_ep_graph_assignment_info"
"""A session's entry that has it remember which provider got which nodes."""

_KNOWN = re.compile(r"cpu|auto|cuda(:\d+)?")
_LIBRARIES = ("libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so")
_FATAL, _WARNING = 4, 2
"""Severities; the second is ONNX Runtime's default."""


def providers_for(device: str, gpu_memory_mb: int | None = None) -> list[Provider]:
    """What to ask ONNX Runtime for. `device`: `cpu`, `cuda`, `cuda:N`, or `auto`. Raises LoadFailed."""
    if not _KNOWN.fullmatch(device):
        raise LoadFailed(f"device {device!r} is unknown: it is cpu, cuda, cuda:N or auto")
    if device == "cpu" or (device == "auto" and why_no_cuda()):
        return [CPU]
    if problem := why_no_cuda():
        raise refusal(device, problem)
    _load_cuda_libraries()
    return [(CUDA, _cuda_options(device, gpu_memory_mb)), CPU]


def refusal(device: str, problem: str, *, heals: bool = False) -> LoadFailed:
    """The error of a session that was to run on a GPU and would not."""
    return LoadFailed(f"device {device} was asked for, but {problem}; set the device to cpu or auto", heals)


def number_of(device: str) -> int:
    """Which GPU `cuda`, `cuda:N` and `auto` mean."""
    return int(device.partition(":")[2] or 0)


def has_gpu() -> bool:
    return any(Path(each).exists() for each in GPU_FILES)


def why_no_cuda() -> str | None:
    """Why CUDA need not be tried at all, in words."""
    if not has_gpu():
        return "no NVIDIA GPU is visible here"
    if CUDA not in onnxruntime.get_available_providers():
        return "this ONNX Runtime is built without CUDA"
    return None


def nodes_of(session: Any) -> dict[str, int]:
    """How many of the graph's nodes each provider got, of a session that was opened with `RECORD`."""
    counts: Counter[str] = Counter()
    for part in session.get_provider_graph_assignment_info():
        counts[str(part.ep_name)] += len(part.get_nodes())
    return dict(counts)


def why_not_on_cuda(session: Any) -> str | None:
    """Why a session that was asked to run on CUDA does not; None where it does."""
    first = str(session.get_providers()[0])
    if first != CUDA:
        return f"ONNX Runtime fell back to {first}: {_missing_library()}"
    nodes = nodes_of(session)
    if nodes and not nodes.get(CUDA):
        return "CUDA has none of the operators that the model consists of"
    return None


@contextmanager
def quiet() -> Iterator[None]:
    """ONNX Runtime writes to stderr that a provider can't be loaded, whatever a session's own log level is."""
    onnxruntime.set_default_logger_severity(_FATAL)
    try:
        yield
    finally:
        onnxruntime.set_default_logger_severity(_WARNING)


def _cuda_options(device: str, gpu_memory_mb: int | None) -> dict[str, Any]:
    """https://onnxruntime.ai/docs/execution-providers/CUDA-ExecutionProvider.html"""
    options = {
        "device_id": number_of(device),
        # cuDNN's quick choice for each new shape. EXHAUSTIVE, the default, takes its time over it, within a request;
        # DEFAULT means cuDNN's last resort. https://docs.nvidia.com/deeplearning/cudnn/latest/developer/graph-api.html
        "cudnn_conv_algo_search": "HEURISTIC",
        # The default doubles what it holds whenever it grows, and workers share the GPU.
        "arena_extend_strategy": "kSameAsRequested",
    }
    return options if gpu_memory_mb is None else {**options, "gpu_mem_limit": gpu_memory_mb * 2**20}


def _missing_library() -> str:
    """Why CUDA's provider can't be loaded: ONNX Runtime tells only its log."""
    folder = Path(onnxruntime.__file__).parent / "capi"
    try:
        for name in _LIBRARIES:
            ctypes.CDLL(str(folder / name), mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        return f"{error} (install onnxruntime-gpu[cuda,cudnn], or build the image with --build-arg CUDA=1)"
    return "its libraries are there, so the driver is too old for them, or there is no such GPU"


def _load_cuda_libraries() -> None:
    """From the wheels that `onnxruntime-gpu[cuda,cudnn]` brings, where the system has none. It prints what it misses;
    what really came of it is seen in the session."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        onnxruntime.preload_dlls()
