"""From an .onnx file to a session of ONNX Runtime's own, on the device asked for or, where that is `auto`, on the CPU
with the reason told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnxruntime

from ..errors import LoadFailed
from ..wire.messages import WorkerConfig
from . import provider
from .binding import Device

_FATAL = 4
"""ONNX Runtime writes warnings about a model's age and errors that it raises as well to stderr, the author's log."""
_MOST_WORDS = 500


@dataclass(frozen=True)
class Opened:
    """A session, and where it really runs."""

    session: Any
    provider: str = provider.CPU
    nodes: Mapping[str, int] = field(default_factory=dict)
    """How many nodes of its graph each provider runs, where it was to run on a GPU."""
    device: Device | None = None
    """The GPU that it runs on."""


def open_file(path: Path, config: WorkerConfig, notice: Callable[[str], None]) -> Opened:
    """Raises LoadFailed, naming the file, or why it can't run on the device that was asked for."""
    providers = provider.providers_for(config.device, config.gpu_memory_mb)
    if providers == [provider.CPU]:
        if config.device == "auto" and provider.has_gpu():
            notice(f"{path.name} runs on the CPU although there is a GPU: {provider.why_no_cuda()}")
        return Opened(_session(path, config, providers))
    return _on_cuda(path, config, providers, notice)


def _on_cuda(
    path: Path, config: WorkerConfig, providers: list[provider.Provider], notice: Callable[[str], None]
) -> Opened:
    heals = False
    try:
        session = _session(path, config, providers)
        problem = provider.why_not_on_cuda(session)
        if problem is None:
            gpu = Device("cuda", provider.number_of(config.device))
            return Opened(session, provider.CUDA, provider.nodes_of(session), gpu)
    except LoadFailed as error:
        problem, heals = str(error.__cause__), True  # the GPU's memory may have been full
    on_cpu = _session(path, config, [provider.CPU])  # raises where it is the file that is at fault
    problem = " ".join(problem.split())[:_MOST_WORDS]
    if config.device != "auto":
        raise provider.refusal(config.device, f"{path.name} does not run there: {problem}", heals=heals)
    notice(f"{path.name} runs on the CPU although there is a GPU: {problem}")
    return Opened(on_cpu)


def _session(path: Path, config: WorkerConfig, providers: list[provider.Provider]) -> Any:
    options = _options(config)
    if len(providers) > 1:
        options.add_session_config_entry(provider.RECORD, "1")
    try:
        with provider.quiet():
            # Without a fallback: a failing GPU must be seen, not be replaced by a CPU, now or while serving.
            return onnxruntime.InferenceSession(str(path), options, providers=providers, enable_fallback=0)
    except Exception as error:  # ONNX Runtime's exceptions have no base of their own
        raise LoadFailed(
            f"{path.name} can't be opened by ONNX Runtime {onnxruntime.__version__}: {' '.join(str(error).split())} "
            "If its opset or IR version is too new, export it with an older one; custom operators are not supported"
        ) from error


def _options(config: WorkerConfig) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = config.cpus
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL
    # A spinning pool burns a core between calls, which the loop and the other workers need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
