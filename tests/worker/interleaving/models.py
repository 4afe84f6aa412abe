"""Models written to a file and loaded, and whether their requests may interleave."""

from __future__ import annotations

import importlib.util
import sys
import textwrap
from pathlib import Path
from types import ModuleType

from worker.interleaving.verdict import why_not_interleave

PREAMBLE = """
import functools, heapq, logging, random, threading
from copy import copy, deepcopy
import numpy as np
log = logging.getLogger("model")
LIMIT = 3
LABELS = ["a", "b"]
CACHE = {}
STATE = [0]
"""


def load(folder: Path, source: str, name: str = "author_etls") -> ModuleType:
    path = folder / f"{name}.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def why_not(folder: Path, source: str) -> str | None:
    module = load(folder, source)
    return why_not_interleave(module.Model(), module, f"{folder}/")


def with_method(body: str, init: str = "pass", extra: str = "") -> str:
    lines = [
        PREAMBLE,
        textwrap.dedent(extra),
        "class Model:",
        "    FACTOR = 2",
        "    shared = {}",
        "    def __init__(self):",
        textwrap.indent(INIT + textwrap.dedent(init), " " * 8),
        "    def transform_predict(self, variables):",
        textwrap.indent(textwrap.dedent(body), " " * 8),
    ]
    return "\n".join(lines)


INIT = """
self.session = object()
self.columns = ["a", "b"]
self.cache = {}
self.count = 0
self.mean = np.zeros(3)
self.buffer = np.zeros(3)
self.names = ("a", "b")
self.nested = {"a": {"b": []}}
"""
