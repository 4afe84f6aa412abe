"""The files beside an .onnx in which its weights lie. https://onnx.ai/onnx/repo-docs/ExternalData.html"""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import LoadFailed
from .graph import LFS_POINTER, Graph


def check_outside(path: Path, graph: Graph) -> None:
    """Raises LoadFailed for a file that the .onnx at `path` needs and that isn't there, whole and within the folder."""
    for location, size in sorted(_needed(graph).items()):
        if problem := _problem(path, location, size):
            raise LoadFailed(f"{path.name} keeps weights in {location}, {problem}")


def _needed(graph: Graph) -> dict[str, int]:
    """How many bytes of each file are read, by its location."""
    needed: dict[str, int] = {}
    for constant in graph.all_constants():
        if (outside := constant.outside) is not None:
            end = outside.offset + (outside.length or 0)
            needed[outside.location] = max(end, needed.get(outside.location, 0))
    return needed


def _problem(path: Path, location: str, size: int) -> str | None:
    if os.path.isabs(location) or os.path.normpath(location).startswith(".."):
        return "which lies outside the model's folder: save the model anew with its data beside it"
    file = path.parent / location
    try:
        with file.open("rb") as data:
            start, there = data.read(len(LFS_POINTER)), os.fstat(data.fileno()).st_size
    except FileNotFoundError:
        return (
            "which is not there: push that file too (is it left out by a .gitignore?), or export the model as one file"
        )
    except OSError as error:
        return f"which can't be read: {error.strerror}"
    if start == LFS_POINTER:
        return (
            "which is a Git LFS pointer, not the data themselves: push them with `git lfs push`, "
            "and let what serves them reach the LFS server"
        )
    if there < size:
        return f"which has {there:,} bytes where {size:,} are needed: it was cut short; push it anew"
    return None
