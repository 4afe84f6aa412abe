"""Where the rows lie after an operator that goes along axes: sums, norms, the largest few."""

from __future__ import annotations

from ..graph.graph import Node
from .operands import (
    Given,
    Rule,
    all_free,
    axis_of,
    first,
    fixed,
    from_attribute_or_operand,
    keep_off,
    optional,
    words,
)
from .values import Coupled, Shape, Tensor, broadcast, of_rows


def _reduction(node: Node, given: Given) -> Tensor:
    source = first(given)
    axes = from_attribute_or_operand(node, "axes", given, 1)
    if not axes and node.integers.get("noop_with_empty_axes", (0,)) != (0,):
        return source
    return _reduced(node, source, axes or range(source.rank))


def _arg_reduction(node: Node, given: Given) -> Tensor:
    source = first(given)
    return _reduced(node, source, [axis_of(node, source.rank, 0)])


def _reduced(node: Node, source: Tensor, axes: list[int] | range) -> Tensor:
    gone = {axis % source.rank for axis in axes}
    if source.axis in gone:
        raise Coupled("takes all rows together")
    kept: Shape = (1,) if node.integers.get("keepdims", (1,)) != (0,) else ()
    shape: Shape = ()
    for axis, size in enumerate(source.dimensions):
        shape += kept if axis in gone else (size,)
    return of_rows(shape)


def _normalization(node: Node, given: Given) -> Tensor:
    """Over one axis, or, as older operator sets have it, over that and all behind it."""
    source = first(given)
    _stay_ahead(node, source, -1, 1)  # the default was 1 once
    return of_rows(source.dimensions)


def _layer_normalization(node: Node, given: Given) -> Tensor:
    source = first(given)
    _stay_ahead(node, source, -1)
    if broadcast(each for each in given if each is not None).axis != source.axis:
        raise Coupled("scales rows by their place in the batch")
    return of_rows(source.dimensions)


def _stay_ahead(node: Node, source: Tensor, *defaults: int) -> None:
    axes = [axis % source.rank if axis < source.rank else axis for axis in node.integers.get("axis", defaults)]
    if source.axis is not None and source.axis >= min(axes):
        raise Coupled("goes along the rows")


def _mean_variance(node: Node, given: Given) -> Tensor:
    source = first(given)
    if source.axis in {axis % source.rank for axis in node.integers.get("axes", (0, 2, 3))}:
        raise Coupled("takes its statistics from all rows")
    return of_rows(source.dimensions)


def _along_an_axis(default: int) -> Rule:
    def rule(node: Node, given: Given) -> list[Tensor]:
        """TopK: two results, of which the axis has another size."""
        source = first(given)
        axis = axis_of(node, source.rank, default)
        keep_off(axis, source)
        all_free(given[1:])
        made = of_rows(None if index == axis else each for index, each in enumerate(source.dimensions))
        return [made] * len(node.outputs)

    return rule


def _cumulation(node: Node, given: Given) -> Tensor:
    source, axes = first(given), fixed(optional(given, 1))
    if source.axis is not None:
        if axes is None:
            raise Coupled("computes its axis")
        keep_off(axes[0] % source.rank, source)
    return Tensor(source.dimensions)


_NORMALIZED = "Softmax LogSoftmax Hardmax LpNormalization"
_REDUCTIONS = """
    ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
"""

ALONG_AXES: dict[str, Rule] = {
    **words(_REDUCTIONS, _reduction),
    **words("ArgMax ArgMin", _arg_reduction),
    **words(_NORMALIZED, _normalization),
    **words("LayerNormalization RMSNormalization SimplifiedLayerNormalization", _layer_normalization),
    "CumSum": _cumulation,
    "MeanVarianceNormalization": _mean_variance,
    "TopK": _along_an_axis(-1),
}
