"""What people decided, as the registry has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.steering import Pin, Rejection

if TYPE_CHECKING:
    from registry.transaction import Transaction  # imports SQLAlchemy, which the start can't wait for


@dataclass(frozen=True)
class Rows:
    """The pins and the rejections of one moment."""

    pins: Mapping[str, Pin] = field(default_factory=dict)
    """By model."""
    rejections: tuple[Rejection, ...] = ()
    """The newest first."""

    def rejected(self, model: str) -> tuple[Rejection, ...]:
        return tuple(one for one in self.rejections if one.model == model)


def read_rows(transaction: Transaction) -> Rows:
    return Rows(transaction.pins.all(), tuple(transaction.rejections.all()))
