"""Training by a function."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ..errors import JudgingImpossible
from ..model.arguments import Arguments, takes
from ..model.importing import place_of
from ..wire.training import TrainConfig
from .scores import read_scores

_EVALUATE = "evaluate"


class FunctionForm:
    """The function, and the one beside it that judges."""

    def __init__(self, module: ModuleType, function: Callable[..., Any], config: TrainConfig) -> None:
        self._module = module
        self._function = function
        self._config = config

    @property
    def place(self) -> str:
        return place_of(self._function, f"{self._module.__name__}.py")

    @property
    def takes_report(self) -> bool:
        return takes(self._function, "report")

    def train(self, report: Callable[..., bool]) -> dict[str, float]:
        """The scores. Raises what the function raises, ContractBroken and ScoresMissing."""
        config = self._config
        offered = {
            "dataset": config.dataset,
            "validation": config.validation,
            "output": folder(config.output),
            "checkpoint": folder(config.checkpoint),
            "report": report,
            "model_params": config.model_params,
        }
        return self._scores(self._function, Arguments(offered=offered, params=config.params))

    def judge(self, artifact: str) -> dict[str, float]:
        """Raises JudgingImpossible."""
        function = getattr(self._module, _EVALUATE, None)
        if not callable(function):
            raise JudgingImpossible(
                f"{self._module.__name__}.py: it has no function evaluate(artifact, validation), "
                "so an older artifact can't be judged on today's data"
            )
        config = self._config
        offered = {
            "artifact": folder(artifact),
            "validation": config.validation or config.dataset,
            "dataset": config.dataset,
            "model_params": config.model_params,
        }
        return self._scores(function, Arguments(offered=offered))

    def close(self) -> None:
        """A function leaves nothing to close."""

    def _scores(self, function: Callable[..., Any], arguments: Arguments) -> dict[str, float]:
        title = getattr(function, "__name__", type(function).__name__)
        place = place_of(function, f"{self._module.__name__}.py")
        return read_scores(arguments.call(function, title, place), f"{place}: {title}")


def folder(path: str) -> str:
    """As the author's code gets it: it ends in "/"."""
    return os.path.join(path, "")
