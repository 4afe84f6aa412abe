"""The controllers of all models, each in a task of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from core.task import spawn
from loader.controller.model_controller import ModelController

log = logging.getLogger("pawl.loader")

_AGAIN_S = 1.0
"""Before one that failed goes on."""


class Controllers:
    """Made when their models are first asked for; gone once their models are."""

    def __init__(self, make: Callable[[str], ModelController], gone: Callable[[], None]) -> None:
        """`gone` is called when a model has gone, and nobody needs its files any more."""
        self.by_model: dict[str, ModelController] = {}
        self._make = make
        self._gone = gone
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, model: str) -> ModelController:
        """The model's controller, which runs from now on if it did not."""
        if model not in self.by_model:
            controller = self.by_model[model] = self._make(model)
            task = spawn(self._run(controller), f"controller of {model}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return self.by_model[model]

    async def stop(self) -> None:
        """None of them decides anything from now on."""
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self, timeout_s: float) -> None:
        """Stop every model, each within the time."""
        await asyncio.gather(*(controller.close(timeout_s) for controller in self.by_model.values()))

    async def _run(self, controller: ModelController) -> None:
        while True:
            try:
                await controller.run()
            except Exception:
                log.exception("%s: a failure of Pawl's own; going on", controller.model)
                await asyncio.sleep(_AGAIN_S)
            else:
                if controller.wanted is None:
                    del self.by_model[controller.model]
                    self._gone()
                    return
