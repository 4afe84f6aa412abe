"""`model.yaml`'s `train` section: how a model is trained."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[^\W\d]\w{0,254}\Z")]
Values = Annotated[dict[Name, Any], msgspec.Meta(max_length=1000)]
Kubernetes = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")]
"""The name of an object in a cluster."""
Source = Annotated[str, msgspec.Meta(pattern=r"^((secret|configmap)/)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")]
Wait = Annotated[float, msgspec.Meta(gt=0, le=30 * 86_400)]
Quantity = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,15}(\.[0-9]{1,3})?([kMGT]|[KMGT]i)?\Z")]
MOST_BYTES = 2**53
Bytes = Annotated[int, msgspec.Meta(ge=1, le=MOST_BYTES)]
Cores = Annotated[float, msgspec.Meta(gt=0, le=1024)]
Millicores = Annotated[str, msgspec.Meta(pattern=r"^([1-9][0-9]{0,5}|10[01][0-9]{4}|102[0-3][0-9]{3}|1024000)m\Z")]


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the score that counts must reach."""

    min: float | None = None
    max: float | None = None


class Resources(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an attempt may take of a machine."""

    cpu: Cores | Millicores = 1
    """Cores, such as 1, 0.5 or 500m."""
    memory: Quantity | Bytes = "2Gi"
    """Bytes, such as 2Gi or 500M."""
    gpu: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0

    @property
    def memory_bytes(self) -> int:
        return bytes_of(self.memory)


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A search for the best parameters: several trials of one run."""

    params: Values
    trials: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 20
    parallel: Annotated[int, msgspec.Meta(ge=1, le=256)] = 1
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] | None = None
    sampler: Name | None = None
    pruner: Name | None = None


class Train(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a model is trained, and what its result must reach."""

    entry: Name | None = None
    """The function or class; None: the only one there is."""
    params: Values = {}
    """Keyword arguments of the function, or of the class's `train`."""
    model_params: Values = {}
    """The class's constructor's, or the argument of that name."""
    dataset: Text | None = None
    """A path in the folder or a URL; likewise `validation`."""
    validation: Text | None = None
    metric: Text | None = None
    """The score that counts; None: the first."""
    direction: Literal["maximize", "minimize"] = "maximize"
    target: Target | None = None
    over_live: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """Least improvement over what is live; None: not compared."""
    resources: Resources = Resources()
    timeout_s: Wait = 3600.0
    """Seconds an attempt may run."""
    pending_s: Wait = 600.0
    """Seconds an attempt may wait for a place to run."""
    retries: Annotated[int, msgspec.Meta(ge=0, le=100)] = 1
    """Further attempts after a failure that may heal."""
    schedule: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    """Cron, five fields, UTC: when the data is looked at again."""
    priority: Annotated[int, msgspec.Meta(ge=-1_000_000, le=1_000_000)] = 0
    """Greater first."""
    priority_class: Kubernetes | None = None
    supersede: Literal["queued", "running", "none"] = "queued"
    """Which runs a newer commit ends: those that are queued, those that run as well, or none."""
    image: Text | None = None
    env_from: Annotated[tuple[Source, ...], msgspec.Meta(max_length=50)] = ()
    """Secrets and ConfigMaps by name, or as `secret/NAME` and `configmap/NAME`."""
    queue: Kubernetes | None = None
    workers: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 1
    search: Search | None = None


SHAPING = (
    "entry",
    "params",
    "model_params",
    "dataset",
    "validation",
    "metric",
    "direction",
    "workers",
    "search",
    "image",
)
"""Keys that shape the result: a code key holds them, and none of the others."""


def bytes_of(quantity: str | int) -> int:
    """Bytes, as Kubernetes counts them: `2Gi`, `500M`, `1024`."""
    if isinstance(quantity, int):
        return quantity
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", quantity).groups()  # type: ignore[union-attr]  # by its pattern
    power = " KMGT".index(unit[0].upper()) if unit else 0
    return int(float(number) * (1024 if unit.endswith("i") else 1000) ** power)
