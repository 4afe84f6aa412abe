"""Follows the rows through a graph: whether each row of the outputs depends on one row of the inputs, and on neither
its neighbours nor its place nor their number. A probe can't show that: one row in a million may change others."""

from __future__ import annotations

from collections.abc import Mapping

from ..graph.graph import Graph, Node
from .rules import RULES
from .values import FREE, Coupled, Size, Tensor, join

Functions = Mapping[tuple[str, str], Graph]
Names = dict[str, Tensor]

_SIZING = {
    **dict.fromkeys(("ConstantOfShape", "Shape", "Size"), 0),
    **dict.fromkeys(("Expand", "Reshape", "Tile"), 1),
    "Resize": 3,
}
"""The operand that says how large a result is, or is looked at for its size alone."""
_DATA = {
    "ConstantOfShape": 0,
    **dict.fromkeys(("Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Split", "Slice", "Pad", "Expand"), 1),
    **dict.fromkeys(("Tile", "Shape", "Size", "CumSum"), 1),
    **dict.fromkeys(("Gather", "GatherElements", "GatherND"), 2),
}
"""How many operands, from the first, may hold rows, where the others say what to do with those."""
_MOST_ROUNDS = 4


def coupling(graph: Graph) -> str | None:
    """Where rows meet, in words; None where every row goes its own way."""
    inputs = {value.name: _input(value.shape or ()) for value in graph.inputs}
    try:
        names = _Flow(graph.functions).follow(graph, inputs)
    except Coupled as met:
        return str(met)
    for output in graph.outputs:
        if names[output.name].axis != 0 or names[output.name].counts:
            return f"output {output.name} is not made row by row"
    return None


def _input(shape: tuple[int | str | None, ...]) -> Tensor:
    return Tensor((Size.ROWS, *(each if isinstance(each, int) and each > 0 else None for each in shape[1:])))


class _Flow:
    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def follow(self, graph: Graph, around: Names) -> Names:
        """What is known of each name in the graph; `around`: of its inputs, and of those that it sees besides."""
        names: Names = {"": FREE, **around}
        for name, constant in graph.constants.items():
            names[name] = Tensor(constant.shape, constant.numbers if len(constant.shape) < 2 else None)
        for node in graph.nodes:
            names.update(zip(node.outputs, self._node(node, names), strict=False))
        for output in graph.outputs:
            if output.name not in names:
                raise Coupled(f"output {output.name} is made by nothing")
        return names

    def _node(self, node: Node, names: Names) -> list[Tensor]:
        given = [names.get(name) if name else None for name in node.inputs]
        try:
            if any(name and name not in names for name in node.inputs):
                raise Coupled("reads what is made nowhere")
            return self._made(node, given, names)
        except Coupled as met:
            raise Coupled(f"operator {node.op} {met}" if not str(met).startswith("operator ") else str(met)) from None
        except (LookupError, TypeError, ValueError):
            raise Coupled(f"operator {node.op} has operands that can't be followed") from None

    def _made(self, node: Node, given: list[Tensor | None], names: Names) -> list[Tensor]:
        if (node.domain, node.op) in self._functions:
            return self._function(self._functions[node.domain, node.op], node, given)
        if node.op == "If" and not node.domain:
            return self._branch(node, given, names)
        if node.op == "Loop" and not node.domain:
            return self._loop(node, given, names)
        if node.op == "Scan" and not node.domain:
            return self._scan(node, given, names)
        if node.graphs or node.is_parametric:
            raise Coupled("is not known to keep rows apart")
        if all(each is None or (each.axis is None and not each.counts) for each in given):
            return self._free(node, given)
        return _checked(node, given, _apply(node, given))

    def _free(self, node: Node, given: list[Tensor | None]) -> list[Tensor]:
        """The same for every batch, whatever it is; how large helps to follow what comes after."""
        try:
            return _apply(node, given)
        except (Coupled, LookupError, TypeError, ValueError):
            return [FREE] * len(node.outputs)

    def _function(self, function: Graph, node: Node, given: list[Tensor | None]) -> list[Tensor]:
        arguments = {value.name: each or FREE for value, each in zip(function.inputs, given, strict=False)}
        missing = {value.name: FREE for value in function.inputs}
        names = self.follow(function, {**missing, **arguments})
        return [names[output.name] for output in function.outputs]

    def _branch(self, node: Node, given: list[Tensor | None], names: Names) -> list[Tensor]:
        _check_steering(given[:1])
        [condition] = given
        known = condition.numbers[0] if condition is not None and condition.numbers else None
        graphs = node.graphs if not isinstance(known, int | float) else node.graphs[:1] if known else node.graphs[1:]
        results = [self._outputs(graph, names) for graph in (graphs if len(node.graphs) == 2 else node.graphs)]
        return [_joined(each) for each in zip(*results, strict=True)]

    def _outputs(self, graph: Graph, around: Names) -> list[Tensor]:
        inner = self.follow(graph, around)
        return [inner[output.name] for output in graph.outputs]

    def _loop(self, node: Node, given: list[Tensor | None], names: Names) -> list[Tensor]:
        _check_steering(given[:2])
        counter, condition = Tensor((), (None,)), Tensor(())
        carried = [each or FREE for each in given[2:]]
        carried, made = self._rounds(node.graphs[0], names, [counter, condition], carried, [])
        return [*carried, *(_stacked(each, 0) for each in made)]

    def _scan(self, node: Node, given: list[Tensor | None], names: Names) -> list[Tensor]:
        [count] = node.integers["num_scan_inputs"]
        tensors = [each or FREE for each in given]
        axes = node.integers.get("scan_input_axes", (0,) * count)
        slices = [_unstacked(each, axis) for each, axis in zip(tensors[-count:], axes, strict=True)]
        carried, made = self._rounds(node.graphs[0], names, [], tensors[:-count], slices)
        axes = node.integers.get("scan_output_axes", (0,) * len(made))
        return [*carried, *(_stacked(each, axis) for each, axis in zip(made, axes, strict=True))]

    def _rounds(
        self, body: Graph, around: Names, ahead: list[Tensor], carried: list[Tensor], slices: list[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """What is known of what a body carries from round to round, and of what it adds in each."""
        inputs = [value.name for value in body.inputs]
        for _ in range(_MOST_ROUNDS):
            handed = dict(zip(inputs, [*ahead, *carried, *slices], strict=True))
            results = self._outputs(body, {**around, **handed})
            if ahead:
                _check_steering([results.pop(0)])
            after = [join(one, other) for one, other in zip(carried, results, strict=False)]
            if after == carried:
                return carried, results[len(carried) :]
            carried = after
        raise Coupled("carries rows in ways that can't be followed")


def _apply(node: Node, given: list[Tensor | None]) -> list[Tensor]:
    rule = RULES.get((node.domain, node.op))
    if rule is None:
        raise Coupled("is not known to keep rows apart")
    made = rule(node, given)
    return made if isinstance(made, list) else [made]


def _checked(node: Node, given: list[Tensor | None], made: list[Tensor]) -> list[Tensor]:
    steering = given[_DATA.get(node.op, len(given)) :]
    if any(each is not None and each.axis is not None for each in steering):
        raise Coupled("is steered by what rows hold")
    counts = [each for index, each in enumerate(given) if each and each.counts and index != _SIZING.get(node.op)]
    if counts and any(each.numbers is None for each in made):
        raise Coupled("computes with the number of rows")
    return made


def _check_steering(given: list[Tensor | None]) -> None:
    for each in given:
        if each is not None and (each.axis is not None or each.counts):
            raise Coupled("runs for all rows as their content or their number decides")


def _joined(tensors: tuple[Tensor, ...]) -> Tensor:
    made = tensors[0]
    for each in tensors[1:]:
        made = join(made, each)
    return made


def _stacked(each: Tensor, axis: int) -> Tensor:
    """The results of all rounds, one behind the other along a new axis."""
    if each.counts:
        raise Coupled("computes with the number of rows")
    if each.shape is None:
        return FREE
    axis %= each.rank + 1
    return Tensor((*each.shape[:axis], None, *each.shape[axis:]))


def _unstacked(each: Tensor, axis: int) -> Tensor:
    if each.counts:
        raise Coupled("computes with the number of rows")
    if each.shape is None:
        return FREE
    axis %= each.rank
    if axis == each.axis:
        raise Coupled("goes along the rows")
    return Tensor((*each.shape[:axis], *each.shape[axis + 1 :]))
