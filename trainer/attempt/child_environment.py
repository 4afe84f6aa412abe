"""The environment variables of the process that runs the author's code."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from core.runs.runs import Failure, RunSpec
from core.runs.states import Reason
from worker.wire.training import TrainConfig

MOST_PARAMS = 131_072 - len("PAWL_PARAMS=") - 1
"""Bytes that Linux takes of it in one variable, whose end is a byte, too (MAX_ARG_STRLEN)."""


def refusal_of_params(config: TrainConfig) -> Failure | None:
    """Why a process can't be given its params, if it can't."""
    size = len(msgspec.json.encode(config.params))
    if size <= MOST_PARAMS:
        return None
    message = f"model.yaml: train.params is too large: {size:,} bytes of {MOST_PARAMS:,}; use a file of the folder"
    return Failure(Reason.BAD_CONTRACT, message)


def child_environment(environ: Mapping[str, str], spec: RunSpec, config: TrainConfig) -> dict[str, str]:
    """`environ`: without secrets of Pawl's. What would change how Python starts is left out."""
    kept = {name: value for name, value in environ.items() if not name.startswith("PYTHON")}
    return {
        **kept,
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        "ORT_DISABLE_TELEMETRY": "1",
        "PAWL_RUN": spec.run,
        "PAWL_ATTEMPT": str(spec.attempt),
        "PAWL_MODEL": spec.model,
        "PAWL_COMMIT": spec.commit,
        "PAWL_PARAMS": msgspec.json.encode(config.params).decode(),
        "PAWL_OUTPUT": config.output,
        "PAWL_DATASET": config.dataset or "",
        "PAWL_VALIDATION": config.validation or "",
        "PAWL_CHECKPOINT": config.checkpoint,
    }
