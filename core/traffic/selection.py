"""Which series somebody asks for."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from core.traffic.bucket import CLIENTS, Series, Stage


class Selection(NamedTuple):
    """Those of a model or, where it is empty, the sums of all models."""

    model: str = ""
    stages: Collection[Stage] = CLIENTS
    version: str = ""
    """`vN`; empty: any."""
    run: str = ""
    """A run's key; empty: any."""

    def covers(self, series: Series) -> bool:
        return (
            series.model == self.model
            and series.stage in self.stages
            and (not self.version or series.version == self.version)
            and (not self.run or series.run == self.run)
        )
