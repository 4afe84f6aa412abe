"""What an operator lets runs ask of the cluster. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from core.manifest.train import Train, bytes_of
from core.runs.runs import Failure
from core.runs.states import Reason


@dataclass(frozen=True)
class Caps:
    cpu: str = ""
    memory: str = ""
    gpu: int | None = None
    images: tuple[str, ...] = ()
    """Patterns."""
    env_from: tuple[str, ...] = ()
    """Patterns of names, or of `secret/NAME` and `configmap/NAME`."""

    def refusal(self, train: Train, own_image: str) -> Failure | None:
        """Why such a run is not begun. `own_image`: the server's, which is always allowed."""
        asked = train.resources
        if self.cpu and cores_of(asked.cpu) > cores_of(self.cpu):
            return _over("train.resources.cpu", asked.cpu, "TRAIN_MAX_CPU", self.cpu)
        if self.memory and asked.memory_bytes > bytes_of(self.memory):
            return _over("train.resources.memory", asked.memory, "TRAIN_MAX_MEMORY", self.memory)
        if self.gpu is not None and asked.gpu > self.gpu:
            return _over("train.resources.gpu", asked.gpu, "TRAIN_MAX_GPU", self.gpu)
        if train.image not in (None, own_image) and not any(
            fnmatchcase(str(train.image), pattern) for pattern in self.images
        ):
            return _not_allowed("train.image", str(train.image), "TRAIN_IMAGES", self.images)
        for name in train.env_from:
            if not any(_names(pattern, name) for pattern in self.env_from):
                return _not_allowed("train.env_from", name, "TRAIN_ENV_FROM", self.env_from)
        return None


def patterns(text: str) -> tuple[str, ...]:
    return tuple(re.split(r"[\s,]+", text.strip())) if text.strip() else ()


def cores_of(quantity: str | float) -> float:
    text = str(quantity)
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def _names(pattern: str, name: str) -> bool:
    """A name without its kind may be either, so only a pattern without one allows it."""
    return fnmatchcase(name if "/" in pattern else name.rpartition("/")[2], pattern)


def _over(key: str, asked: object, setting: str, most: object) -> Failure:
    message = f"{key} is {asked}, more than this server allows ({setting} is {most}); ask for less, or ask its operator"
    return Failure(Reason.BAD_CONTRACT, message)


def _not_allowed(key: str, asked: str, setting: str, allowed: tuple[str, ...]) -> Failure:
    listed = ", ".join(allowed) or "empty"
    message = f"{key} names {asked}, which this server does not allow ({setting} is {listed}); ask its operator"
    return Failure(Reason.BAD_CONTRACT, message)
