"""A model folder, loaded."""

from __future__ import annotations

import dataclasses
import inspect
import os
import platform
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import LoadFailed
from ..formats import variables
from ..formats.schemas import json_schema
from ..onnx.batch_wait import BatchWait
from ..tracebacks import AuthorTracebacks
from ..wire.messages import Description, WorkerConfig
from .etls import METHOD, construct, find_class
from .importing import import_module
from .method import Method, read_method

if TYPE_CHECKING:
    from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Model:
    """What a worker serves."""

    predict: Callable[[Any], Any]
    decode: variables.Decode
    description: Description


def load_model(config: WorkerConfig, batch_wait: BatchWait, tracebacks: AuthorTracebacks) -> Model:
    """Import, construct, and look at it. Raises LoadFailed."""
    files = _onnx_files(config.folder)
    if os.path.isfile(os.path.join(config.folder, "etls.py")):
        return _load_etls(config, files, batch_wait, tracebacks)
    return _load_onnx(config, files, batch_wait, tracebacks)


def _onnx_files(folder: str) -> dict[str, Path]:
    """By their stems."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(".onnx"))
    if not names:
        return {}
    from pathlib import Path  # only here: other folders start without it

    return {os.path.splitext(name)[0]: Path(folder, name) for name in names}


def _load_etls(
    config: WorkerConfig, files: Mapping[str, Path], batch_wait: BatchWait, tracebacks: AuthorTracebacks
) -> Model:
    module = import_module("etls", config.folder, config.root, tracebacks)
    kind = find_class(module)
    method = read_method(kind, config.variables)
    sessions = Sessions()
    offers: dict[str, Callable[[], Any]] = {
        "path": lambda: config.folder,
        "metadata": lambda: config.metadata,
        "onnx": lambda: sessions.open(files, config, batch_wait),
    }
    instance = construct(kind, offers, tracebacks)
    concurrent, why = _interleaving(config, instance, module, sessions)
    predict = getattr(instance, METHOD)
    return Model(
        predict=(lambda _: predict()) if method.takes == "nothing" else predict,
        decode=method.decode,
        description=_describe(config, kind, method, concurrent, why, sessions),
    )


def _load_onnx(
    config: WorkerConfig, files: Mapping[str, Path], batch_wait: BatchWait, tracebacks: AuthorTracebacks
) -> Model:
    if not files:
        raise LoadFailed("the folder has neither an etls.py nor an .onnx: there is nothing to serve")
    if len(files) > 1:
        names = ", ".join(path.name for path in files.values())
        raise LoadFailed(
            f"the folder has no etls.py and several .onnx ({names}): write an etls.py that says how they go"
        )
    from ..onnx.by_signature import BySignature  # only here, for it loads numpy

    sessions = Sessions()
    instance = construct(BySignature, {"onnx": lambda: sessions.open(files, config, batch_wait)}, tracebacks)
    method = Method("dict", variables.as_sent)
    description = _describe(config, BySignature, method, True, "the ONNX file is served by itself", sessions)
    return Model(
        predict=getattr(instance, METHOD),
        decode=method.decode,
        description=msgspec.structs.replace(
            description,
            takes="onnx",
            doc="",
            variables_schema=getattr(instance, "variables_schema", None),
            answer_schema=getattr(instance, "answer_schema", None),
        ),
    )


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


def _interleaving(config: WorkerConfig, instance: Any, module: ModuleType, sessions: Sessions) -> tuple[bool, str]:
    """Whether requests may interleave, and why, in words."""
    if config.threads:
        return True, f"serve.threads is {config.threads}: requests run in threads"
    if config.concurrent is not None:
        return config.concurrent, f"serve.concurrent is {str(config.concurrent).lower()}"
    if not sessions:
        return False, "the class is given no ONNX session, and only there could requests interleave"
    from ..interleaving.verdict import why_not_interleave  # only here, for only such folders need it

    why_not = why_not_interleave(instance, module, config.root)
    return why_not is None, why_not or "the class keeps nothing that its requests could see of each other"


def _describe(
    config: WorkerConfig, kind: type, method: Method, concurrent: bool, why: str, sessions: Sessions
) -> Description:
    return Description(
        takes=method.takes,
        concurrent=concurrent,
        why=why,
        threads=config.threads,
        doc=_doc(kind),
        variables_schema=json_schema(method.variables_type, "validation"),
        answer_schema=json_schema(method.answer_type, "serialization"),
        sessions=tuple(session.merging for session in sessions.values()),
        python=platform.python_version(),
    )


def _doc(kind: type) -> str:
    """The class's docstring, if it is text; any half character in it becomes a question mark."""
    doc = kind.__doc__
    return inspect.cleandoc(doc).encode(errors="replace").decode() if isinstance(doc, str) else ""
