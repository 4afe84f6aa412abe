"""Which packages Pawl runs on, and so which ones every environment gets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import importlib_metadata

_WORKER_NEEDS = ("msgspec", "greenlet")
_CUDA_LIBRARY = "nvidia-cudnn-cu"

RUNTIMES = (
    "onnxruntime-gpu",
    "onnxruntime",
    "onnxruntime-cann",
    "onnxruntime-directml",
    "onnxruntime-migraphx",
    "onnxruntime-openvino",
    "onnxruntime-qnn",
    "onnxruntime-rocm",
    "onnxruntime-training",
)
"""Builds of ONNX Runtime. They all install the module `onnxruntime`, so two of them are one broken one."""


def own_pins(have: Mapping[str, str]) -> tuple[str, ...]:
    """What the worker and, last, ONNX Runtime need: requirements, at the versions among which Pawl itself runs."""
    runtime = next(name for name in RUNTIMES if name in have)
    libraries = "[cuda,cudnn]" if any(name.startswith(_CUDA_LIBRARY) for name in have) else ""
    return (*(f"{name}=={have[name]}" for name in _WORKER_NEEDS), f"{runtime}{libraries}=={have[runtime]}")


def installed(path: Sequence[str]) -> Mapping[str, str]:
    """Normalised names and versions of what can be imported from the folders in `path`, earlier ones first."""
    found: dict[str, str] = {}
    for package in importlib_metadata.distributions(path=list(path)):
        name, version = _said(package) or (package.name, package.version)
        found.setdefault(normalised(name), version)
    return dict(sorted(found.items()))


def _said(package: importlib_metadata.IDistribution) -> tuple[str, str] | None:
    """The name and the version in a package's metadata, of which nothing else is parsed: a start reads hundreds."""
    head = (package.read_text("METADATA") or "").partition("\n\n")[0]
    name, version = (re.search(rf"^{field}: *(\S+) *$", head, re.MULTILINE) for field in ("Name", "Version"))
    return (name[1], version[1]) if name and version else None


def name_of(requirement: str) -> str:
    """The normalised name that a requirement begins with."""
    return normalised(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0])


def normalised(name: str) -> str:
    """One spelling for all spellings of a package's name, after PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()
