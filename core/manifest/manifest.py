"""`model.yaml`: what a model's author may say about it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import yaml

from core.errors import ReleaseFailed
from core.manifest import cron
from core.manifest.errors import misfit, no_yaml, wrong_value
from core.manifest.plain_yaml import Document, NotPlain, read_yaml
from core.manifest.train import MOST_BYTES, Target, Train

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Megabytes = Annotated[int, msgspec.Meta(ge=1, le=16 * 2**20)]
Folder = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class Serve(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a model is served."""

    replicas: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    """Worker processes; bounded, since a slip of the pen would fill the machine with them."""
    threads: Annotated[int, msgspec.Meta(ge=0, le=1024)] = 0
    """Threads that run requests in each worker; 0: greenlets, for classes that don't wait on the network."""
    concurrent: bool | None = None
    """Whether requests may interleave; None: found out from the class."""
    timeout_s: Seconds = 30.0
    """Seconds a request may take, and a stretch of the author's code may run."""
    memory_mb: Megabytes | None = None
    """Megabytes of memory at which a worker is replaced; None: no limit of its own."""
    max_batch: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 64
    """Rows merged into one call of a model."""
    max_queue: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1000
    """Requests waiting in each gateway; over it the answer is 503."""
    swap: Literal["beside", "replace"] = "beside"
    """`beside`: the new pool is up before the old one stops; `replace` accepts a gap to save memory."""
    variables: Literal["dict", "dataframe"] | None = None
    """How variables come to a method that annotates nothing; None: as the server's VARIABLES says."""
    device: Annotated[str, msgspec.Meta(pattern=r"^(auto|cpu|cuda(:[0-9]{1,3})?)\Z")] | None = None
    """`auto`, `cpu`, `cuda` or `cuda:N`; None: as the server's DEVICE says."""
    gpu_memory_mb: Megabytes | None = None
    """Megabytes of a GPU's memory that each ONNX file may take in each worker; None: no limit."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model folder's `model.yaml`; without one, the defaults."""

    description: str = ""
    metadata: dict[str, Any] = {}
    """Given to the class as `metadata`."""
    uses: Annotated[tuple[Folder, ...], msgspec.Meta(max_length=100)] = ()
    """Folders beside this one whose code it imports."""
    serve: Serve = Serve()
    train: Train | None = None
    """How the model is trained; None: as a `train.py`, where there is one, is trained by default."""


def parse_manifest(text: bytes) -> Manifest:
    """The manifest in `text` (YAML).

    Raises ReleaseFailed, naming the key or the line, for what is not valid YAML, has an unknown key, a value out of
    range or one that JSON has not.
    """
    try:
        document = read_yaml(text)
    except yaml.YAMLError as error:
        raise _failure(no_yaml(error, text)) from error
    except NotPlain as error:
        raise _failure(str(error)) from error
    try:
        manifest = msgspec.convert({} if document.content is None else document.content, Manifest)
    except msgspec.ValidationError as error:
        raise _failure(misfit(error, document)) from error
    if manifest.train is not None:
        _check_train(manifest.train, document)
    return manifest


def _check_train(train: Train, document: Document) -> None:
    """What no type says."""
    if train.schedule is not None:
        try:
            cron.check(train.schedule)
        except cron.NotCron as error:
            raise _failure(wrong_value(document, ["train", "schedule"], str(error))) from error
    if train.target is not None and (why := _why_no_target(train.target)):
        raise _failure(wrong_value(document, ["train", "target"], why))
    if why := _why_no_memory(train.resources.memory_bytes):
        raise _failure(wrong_value(document, ["train", "resources", "memory"], why))


def _why_no_target(target: Target) -> str | None:
    if target.min is None and target.max is None:
        return "it has neither min nor max"
    if target.min is not None and target.max is not None and target.min > target.max:
        return "no number is at least its min and at most its max"
    return None


def _why_no_memory(count: int) -> str | None:
    if count < 1:
        return "it is no byte at all"
    return "it is more than a machine has" if count > MOST_BYTES else None


_MOST_SAID = 500
"""Characters: what is wrong may be as long as the file."""


def _failure(what: str) -> ReleaseFailed:
    what = what if len(what) <= _MOST_SAID else f"{what[:_MOST_SAID]}…"
    return ReleaseFailed(f"model.yaml{', ' if what.startswith('line ') else ': '}{what}", stage="manifest")
