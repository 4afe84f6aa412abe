"""`model.yaml`: what a model's author may say about it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import yaml
from yaml.composer import ComposerError
from yaml.nodes import Node

from core.errors import ReleaseFailed
from core.manifestfaults import misfit, no_yaml

Count = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]


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
    memory_mb: Count | None = None
    """Megabytes of memory at which a worker is replaced; None: no limit of its own."""
    max_batch: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 64
    """Rows merged into one call of a model."""
    max_queue: Count = 1000
    """Requests waiting in each gateway; over it the answer is 503."""
    swap: Literal["beside", "replace"] = "beside"
    """`beside`: the new pool is up before the old one stops; `replace` accepts a gap to save memory."""
    variables: Literal["dict", "dataframe"] | None = None
    """How variables come to a method that annotates nothing; None: as the server's VARIABLES says."""
    device: Annotated[str, msgspec.Meta(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] | None = None
    """`auto`, `cpu`, `cuda` or `cuda:N`; None: as the server's DEVICE says."""
    gpu_memory_mb: Count | None = None
    """Megabytes of a GPU's memory that each ONNX file may take in each worker; None: no limit."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model folder's `model.yaml`; without one, the defaults."""

    description: str = ""
    metadata: dict[str, Any] = {}
    """Given to the class as `metadata`."""
    uses: tuple[str, ...] = ()
    """Folders beside this one whose code it imports."""
    serve: Serve = Serve()
    train: dict[str, Any] | None = None
    """How the model is trained; the trainer reads it."""


def parse_manifest(text: bytes) -> Manifest:
    """The manifest in `text` (YAML).

    Raises ReleaseFailed, naming the key or the line, for what is no YAML, has an unknown key or a value out of range.
    """
    content = None
    try:
        content = read_yaml(text)
        return msgspec.convert({} if content is None else content, Manifest)
    except msgspec.ValidationError as error:
        raise _failure(misfit(error, content, yaml.compose(text, _Loader))) from error
    except yaml.YAMLError as error:
        raise _failure(no_yaml(error)) from error
    except RecursionError as error:
        raise _failure("is nested too deeply") from error
    except ValueError as error:
        raise _failure(" ".join(str(error).split())) from error


def read_yaml(text: bytes) -> Any:
    """What YAML holds, of plain values. Raises YAMLError, ValueError or RecursionError."""
    return yaml.load(text, _Loader)


class _Loader(yaml.SafeLoader):
    """Takes no aliases: with them a page of text is gigabytes of JSON, or has no end."""

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self.check_event(yaml.AliasEvent):
            alias = self.current_event
            raise ComposerError(
                None, None, f"the alias *{alias.anchor} is not taken; write out what it stands for", alias.start_mark
            )
        return super().compose_node(parent, index)


def _failure(what: str) -> ReleaseFailed:
    return ReleaseFailed(f"model.yaml{', ' if what.startswith('line ') else ': '}{what}", stage="manifest")
