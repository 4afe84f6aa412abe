"""Whether all that is to be served is served: what `/readyz` tells."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from core.release import Choice
from loader.controller.model_controller import ModelController


class Readiness:
    """Ready once the last-known-good set serves, or every model of the first look is live, has failed or is untrained.

    It never ends: a model that fails later takes no other model down.
    """

    def __init__(self, controllers: Mapping[str, ModelController]) -> None:
        """`controllers` by model, as they come and go."""
        self.ready = asyncio.Event()
        self._controllers = controllers
        self._awaited: set[str] | None = None
        """Models without an outcome yet; None before anything is known. Only ever gets fewer."""
        self._knows_artifacts = False
        """Whether a model that has no artifact is untrained, or the store has just not said yet what it holds."""

    @property
    def is_begun(self) -> bool:
        """Whether it is known what to wait for."""
        return self._awaited is not None

    def begin(self, models: Iterable[str]) -> None:
        """Wait for these."""
        self._awaited = set(models)

    def know_artifacts(self) -> None:
        """The store has said what it holds, or is waited for no longer."""
        self._knows_artifacts = True

    def check(self) -> None:
        """Look where the models stand now."""
        if self._awaited is None or self.ready.is_set():
            return
        self._awaited = {model for model in self._awaited if self._is_on_its_way(model)}
        if not self._awaited:
            self.ready.set()

    def _is_on_its_way(self, model: str) -> bool:
        """Whether it is neither live, failed, untrained nor gone. By where it stands now: what a controller has just
        done may have been for what was wanted before."""
        controller = self._controllers.get(model)
        wanted = None if controller is None else controller.wanted
        if controller is None or wanted is None or controller.live is not None or controller.failure is not None:
            return False
        is_perhaps_trained = wanted.choice is Choice.UNTRAINED and not self._knows_artifacts
        return is_perhaps_trained or not controller.is_withheld
