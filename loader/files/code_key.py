"""The code key: the same for two revisions of a model whose training leaves the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from core.manifest.train import SHAPING, Train

TRAIN = "train.py"

_LEFT_OUT = frozenset({"model.yaml", "examples.json", "requirements.txt"})


@dataclass(frozen=True)
class CodeIds:
    """What a model trains from, by git's ids, wherever it lies: so a folder has the key that its push will have."""

    files: Mapping[str, str]
    """Of each file's content, by its path in the model's folder."""
    uses: Mapping[str, str]
    """Of the folders that it shares, each as a whole; the model's own may be among them, and does not count."""
    requirements: str | None
    """Of those that hold where the folder has none of its own."""


def code_key(model: str, code: CodeIds, train: Train | None) -> str:
    """12 hexadecimal digits over all that shapes what a run of the model leaves. `train`: the manifest's section."""
    files = code.files
    shaping = {_text(path): id for path, id in files.items() if _shapes(path, TRAIN in files)}
    shared = {_text(name): id for name, id in code.uses.items() if name != model}
    parts = (model, shaping, shared, files.get("requirements.txt", code.requirements), _keys(train))
    return sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:12]


def _shapes(path: str, has_train: bool) -> bool:
    """A class with both halves is in etls.py, where there is no train.py."""
    return path not in _LEFT_OUT and not path.endswith(".md") and not (has_train and path == "etls.py")


def _keys(train: Train | None) -> dict[str, Any]:
    """A default counts as the same whether or not it is written down."""
    given = msgspec.to_builtins(train or Train())
    return {key: given[key] for key in SHAPING}


def _text(path: str) -> str:
    """Names of files need not be UTF-8."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
