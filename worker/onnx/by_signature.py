"""The class for a folder that holds one .onnx and no `etls.py`: it is served by its own signature.

Importing this module loads numpy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InvalidVariables
from .fields import InputField, OutputField


class BySignature:
    """Variables map each input's name to one row, the answer maps each output's; neither has the first dimension,
    where it is symbolic. Inputs with a fixed first dimension are passed whole. Extra variables are ignored."""

    def __init__(self, onnx: Mapping[str, Any]) -> None:
        """`onnx`: the one session, under any name. Raises LoadFailed where JSON can't carry what it takes."""
        [self._session] = onnx.values()
        inputs = self._session.get_inputs()
        self._inputs = [InputField(each) for each in inputs]
        self._outputs = [OutputField(each, inputs) for each in self._session.get_outputs()]

    @property
    def variables_schema(self) -> dict[str, Any]:
        """JSON Schema of the variables."""
        return _object(self._inputs)

    @property
    def answer_schema(self) -> dict[str, Any]:
        """JSON Schema of the answer."""
        return _object(self._outputs)

    def transform_predict(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Raises InvalidVariables, naming the field."""
        feeds = {each.name: each.feed(self._given(variables, each.name)) for each in self._inputs}
        outputs = self._session.run(None, feeds)
        return {each.name: each.answer(output) for each, output in zip(self._outputs, outputs, strict=True)}

    def _given(self, variables: dict[str, Any], name: str) -> Any:
        if name not in variables:
            inputs = ", ".join(each.name for each in self._inputs)
            given = ", ".join(map(str, variables)) or "nothing"
            raise InvalidVariables(f"{name} is missing; the inputs are {inputs}, and given was {given}", name)
        return variables[name]


def _object(fields: Sequence[InputField | OutputField]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {each.name: each.schema for each in fields},
        "required": [each.name for each in fields],
    }
