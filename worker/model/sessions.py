"""The ONNX files of a folder, and their sessions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..onnx.batch_wait import BatchWait
from ..wire.messages import WorkerConfig

if TYPE_CHECKING:
    from pathlib import Path


def onnx_files(folder: str) -> dict[str, Path]:
    """By their stems."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(".onnx"))
    if not names:
        return {}
    from pathlib import Path  # only here: other folders start without it

    return {os.path.splitext(name)[0]: Path(folder, name) for name in names}


class Sessions(dict[str, Any]):
    """The ONNX sessions of a folder by file stem, as the constructor gets them; empty until it asks for them."""

    def open(self, files: Mapping[str, Path], config: WorkerConfig, batch_wait: BatchWait) -> Sessions:
        if files:
            from ..onnx.session import open_sessions  # only here, for it loads ONNX Runtime

            self.update(open_sessions(dict(files), config, batch_wait.batcher))
        return self

    def __missing__(self, name: str) -> Any:
        there = ", ".join(f"{each}.onnx" for each in self) or "none at all"
        raise KeyError(f"there is no {name}.onnx in the model's folder; there is {there}")
