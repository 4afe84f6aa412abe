"""The Open Inference Protocol, https://github.com/kserve/open-inference-protocol: Triton's and MLServer's."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from bench.load.endpoint import dump


def pack(row: Sequence[float]) -> bytes:
    return dump({"inputs": [{"name": "X", "shape": [1, len(row)], "datatype": "FP32", "data": row}]})


def unpack(answer: Any) -> Sequence[float]:
    [output] = answer["outputs"]
    data: Sequence[float] = output["data"]
    return data


def binary_head(width: int) -> bytes:
    """The JSON before the numbers, by Triton's extension for binary data."""
    described = {"name": "X", "shape": [1, width], "datatype": "FP32", "parameters": {"binary_data_size": 4 * width}}
    return dump({"inputs": [described]})


def pack_binary(row: Sequence[float]) -> bytes:
    return binary_head(len(row)) + struct.pack(f"<{len(row)}f", *row)
