"""Training by a class."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from ..errors import ContractBroken
from ..model.arguments import Arguments
from ..model.class_form import destroy, make, make_and_load
from ..model.entry import not_run_by_a_call
from ..model.importing import place_of
from ..tracebacks import AuthorTracebacks
from ..wire.training import TrainConfig
from .function_form import folder
from .param_types import convert
from .scores import read_scores

_NEEDED = {
    "train": "train(self, dataset_path, **train_args)",
    "evaluate": "evaluate(self, dataset_path)",
    "save": "save(self, path)",
    "load": "load(self, path)",
}


class ClassForm:
    """The class, and its instance once there is one."""

    takes_report = False

    def __init__(self, module: ModuleType, kind: type, config: TrainConfig, tracebacks: AuthorTracebacks) -> None:
        """Raises ContractBroken where a method is missing, or is none that a call runs."""
        self._file = f"{module.__name__}.py"
        self._kind = kind
        self._config = config
        self._tracebacks = tracebacks
        self._instance: Any = None
        missing = [form for name, form in _NEEDED.items() if not callable(getattr(kind, name, None))]
        if missing:
            raise ContractBroken(f"{self.place}: the class {kind.__name__} has no method {', '.join(missing)}")
        for name in _NEEDED:
            if what := not_run_by_a_call(getattr(kind, name)):
                raise ContractBroken(f"{self._named(name)} is {what}; it must be a plain method")

    @property
    def place(self) -> str:
        return place_of(self._kind, self._file)

    def train(self, _: Callable[..., bool]) -> dict[str, float]:
        """The scores. Raises what the class raises, ContractBroken and ScoresMissing."""
        config = self._config
        self._instance = make(self._kind, config.model_params, to_serve=False)
        self._call("train", Arguments(first=(config.dataset,), params=self._params()))
        scores = self._evaluate()
        self._call("save", Arguments(first=(folder(config.output),)))
        return scores

    def judge(self, artifact: str) -> dict[str, float]:
        self._instance = make_and_load(self._kind, self._config.model_params, artifact, self._tracebacks)
        return self._evaluate()

    def close(self) -> None:
        """Destroy the instance, if there is one."""
        if self._instance is not None:
            destroy(self._instance, self._tracebacks)

    def _evaluate(self) -> dict[str, float]:
        returned = self._call("evaluate", Arguments(first=(self._config.validation or self._config.dataset,)))
        return read_scores(returned, self._named("evaluate"))

    def _params(self) -> dict[str, Any]:
        if getattr(self._kind, "get_param_type", None) is None:
            return dict(self._config.params)
        types = self._call("get_param_type", Arguments())
        return convert(self._config.params, types, self._named("get_param_type"))

    def _call(self, name: str, arguments: Arguments) -> Any:
        method = getattr(self._instance, name)
        return arguments.call(method, f"{self._kind.__name__}.{name}", place_of(method, self._file))

    def _named(self, name: str) -> str:
        """Like `train.py, line 3: Model.evaluate`."""
        return f"{place_of(getattr(self._kind, name), self._file)}: {self._kind.__name__}.{name}"
