"""A model folder, loaded."""

from __future__ import annotations

import dataclasses
import inspect
import os
import platform
from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import LoadFailed
from ..formats.pawl_json import variables
from ..formats.schemas import json_schema, short_enough
from ..onnx.batch_wait import BatchWait
from ..tracebacks import AuthorTracebacks
from ..wire.messages import Description, WorkerConfig
from .class_form import (
    PREDICT,
    destroy,
    find_trained_class,
    load,
    make_and_load,
    needs_some,
    serves_by_predict,
    trains_itself,
)
from .etls import METHOD, construct, find_class
from .importing import import_module
from .method import Method, read_method
from .misnamed import misnamed
from .sessions import Sessions, onnx_files
from .train_form import is_served_by_class

if TYPE_CHECKING:
    from pathlib import Path

_MOST_DOC = 10_000
"""Characters of a docstring that are shown."""

_NO_INTERLEAVING = "a class that is served by its predict gets one request at a time"


@dataclasses.dataclass(frozen=True)
class Model:
    """What a worker serves."""

    predict: Callable[[Any], Any]
    decode: variables.Decode
    description: Description
    close: Callable[[], None]
    """To be called once nothing is asked of it any more."""


def load_model(config: WorkerConfig, batch_wait: BatchWait, tracebacks: AuthorTracebacks) -> Model:
    """Import, construct, and look at it. Raises LoadFailed."""
    for line in misnamed(config.folder):
        batch_wait.batcher.notice(line)
    files = onnx_files(config.folder)
    if os.path.isfile(os.path.join(config.folder, "etls.py")):
        return _load_etls(config, files, batch_wait, tracebacks)
    if is_served_by_class(config.folder, config.train_entry, instead=bool(files)):
        return _load_trained(config, import_module("train", config.folder, config.root, tracebacks), tracebacks)
    return _load_onnx(config, files, batch_wait, tracebacks)


def _load_etls(
    config: WorkerConfig, files: Mapping[str, Path], batch_wait: BatchWait, tracebacks: AuthorTracebacks
) -> Model:
    module = import_module("etls", config.folder, config.root, tracebacks)
    if serves_by_predict(module, config.train_entry):
        return _load_trained(config, module, tracebacks)
    kind = find_class(module)
    method = read_method(kind, config.variables)
    sessions = Sessions()
    offers: dict[str, Callable[[], Any]] = {
        "path": lambda: config.folder,
        "metadata": lambda: config.metadata,
        "onnx": lambda: sessions.open(files, config, batch_wait),
    }
    is_trained = config.artifact is not None and trains_itself(kind)
    params = config.model_params if is_trained and needs_some(kind) else {}
    instance = construct(kind, {**{name: partial(params.get, name) for name in params}, **offers}, tracebacks)
    if is_trained:
        load(instance, config.artifact or config.folder, tracebacks)
    concurrent, why = _interleaving(config, instance, module, sessions)
    predict = getattr(instance, METHOD)
    return Model(
        predict=(lambda _: predict()) if method.takes == "nothing" else predict,
        decode=method.decode,
        description=_describe(config, kind, method, concurrent, why, sessions),
        close=partial(destroy, instance, tracebacks) if is_trained else _nothing,
    )


def _load_trained(config: WorkerConfig, module: ModuleType, tracebacks: AuthorTracebacks) -> Model:
    kind = find_trained_class(module, config.train_entry)
    if config.threads:
        raise LoadFailed(
            f"model.yaml: serve.threads is {config.threads}, and {_NO_INTERLEAVING}; "
            "take serve.threads out, or write an etls.py"
        )
    method = read_method(kind, config.variables, PREDICT)
    instance = make_and_load(kind, config.model_params, config.artifact or config.folder, tracebacks)
    predict = getattr(instance, PREDICT)
    return Model(
        predict=(lambda _: predict()) if method.takes == "nothing" else predict,
        decode=method.decode,
        description=_describe(config, kind, method, False, _NO_INTERLEAVING, Sessions()),
        close=partial(destroy, instance, tracebacks),
    )


def _load_onnx(
    config: WorkerConfig, files: Mapping[str, Path], batch_wait: BatchWait, tracebacks: AuthorTracebacks
) -> Model:
    if not files:
        raise LoadFailed(
            "the folder has neither an etls.py, nor an .onnx, nor a train.py with a class that has a method predict: "
            "there is nothing to serve"
        )
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
            variables_schema=short_enough(getattr(instance, "variables_schema", None)),
            answer_schema=short_enough(getattr(instance, "answer_schema", None)),
        ),
        close=_nothing,
    )


def _nothing() -> None:
    pass


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
    if not isinstance(doc, str):
        return ""
    shown = inspect.cleandoc(doc[: 2 * _MOST_DOC]).encode(errors="replace").decode()
    return shown if len(shown) <= _MOST_DOC else f"{shown[:_MOST_DOC]}…"
