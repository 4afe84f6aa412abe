"""Where the rows lie after an operator that computes. One that is not here is not known to keep rows apart."""

from __future__ import annotations

from ..graph.graph import Node
from .layout_rules import LAYOUT
from .operands import (
    Given,
    Rule,
    all_free,
    axis_of,
    first,
    fixed,
    from_attribute_or_operand,
    keep_off,
    operand,
    optional,
)
from .shape_arithmetic import compute
from .table_rules import TABLES
from .values import Coupled, Entry, Shape, Size, Tensor, broadcast, of_rows


def _elementwise(node: Node, given: Given) -> Tensor:
    tensors = [each for each in given if each is not None]
    made = broadcast(tensors)
    numbers = [each.numbers for each in tensors if each.numbers is not None]
    is_short = made.axis is None and len(numbers) == len(tensors) and made.rank < 2
    return Tensor(made.shape, compute(node.op, numbers) if is_short else None)


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


def _stay_ahead(node: Node, source: Tensor, *defaults: int) -> None:
    axes = [axis % source.rank if axis < source.rank else axis for axis in node.integers.get("axis", defaults)]
    if source.axis is not None and source.axis >= min(axes):
        raise Coupled("goes along the rows")


def _layer_normalization(node: Node, given: Given) -> Tensor:
    source = first(given)
    _stay_ahead(node, source, -1)
    if broadcast(each for each in given if each is not None).axis != source.axis:
        raise Coupled("scales rows by their place in the batch")
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


def _per_image(node: Node, given: Given) -> list[Tensor]:
    """Rows first, then channels; the size of the image is another, and what weights there are go with channels."""
    source = _rows_first(given)
    all_free(given[1:])
    if len(node.outputs) > 1:
        raise Coupled("tells places within the whole batch")
    return [of_rows((source.dimensions[0], *[None] * (source.rank - 1)))]


def _per_channel(node: Node, given: Given) -> Tensor:
    source = _rows_first(given)
    all_free(given[1:])
    return of_rows(source.dimensions)


def _rows_first(given: Given) -> Tensor:
    source = first(given)
    if source.axis not in (None, 0):
        raise Coupled("takes rows for channels")
    return source


def _resize(node: Node, given: Given) -> Tensor:
    source = first(given)
    all_free(given[1:])
    if source.axis is not None and not _keeps_length(node, given, source.axis, source.rank):
        raise Coupled("may stretch the axis of the rows")
    return of_rows(Size.ROWS if axis == source.axis else None for axis in range(source.rank))


def _keeps_length(node: Node, given: Given, axis: int, rank: int) -> bool:
    if "axes" in node.integers:
        return axis not in {each % rank for each in node.integers["axes"]}
    scales, sizes = optional(given, 1 if len(given) == 2 else 2), optional(given, 3)
    wanted: Entry = None
    if sizes is not None and sizes.numbers:
        wanted = sizes.numbers[axis]
    elif scales is not None and scales.numbers:
        wanted = scales.numbers[axis]
    return wanted is Size.ROWS or wanted == 1.0


def _images_moved(node: Node, given: Given) -> Tensor:
    source = _rows_first(given)
    return of_rows((source.dimensions[0], *[None] * (source.rank - 1)))


def _sampled(node: Node, given: Given) -> Tensor:
    source, grid = first(given), operand(given, 1)
    if source.axis != grid.axis or source.axis not in (None, 0):
        raise Coupled("samples rows by their place in the batch")
    return of_rows((source.dimensions[0], *[None] * (source.rank - 1)))


def _matmul(node: Node, given: Given) -> Tensor:
    return product(first(given), operand(given, 1))


def product(one: Tensor, other: Tensor) -> Tensor:
    """As numpy multiplies matrices, and stacks of them."""
    left, right = one.dimensions, other.dimensions
    if Size.ROWS in (left[-1], right[-2] if len(right) > 1 else right[-1]):
        raise Coupled("sums over the rows")
    stacks = broadcast([Tensor(left[:-2]), Tensor(right[:-2])]).dimensions
    return of_rows((*stacks, *left[-2:-1], *(right[-1:] if len(right) > 1 else ())))


def _gemm(node: Node, given: Given) -> Tensor:
    made = product(_turned(node, "transA", first(given)), _turned(node, "transB", operand(given, 1)))
    added = optional(given, 2)
    return made if added is None else broadcast([made, added])


def _turned(node: Node, flag: str, matrix: Tensor) -> Tensor:
    turned = node.integers.get(flag, (0,)) != (0,)
    return Tensor(tuple(reversed(matrix.dimensions))) if turned else matrix


def _integer_matmul(node: Node, given: Given) -> Tensor:
    one = optional(given, 2)
    if one is not None and one.shape not in ((), (1,)):
        raise Coupled("shifts rows by their place in the batch")
    all_free(given[2:])
    return product(first(given), operand(given, 1))


def _quantized_matmul(node: Node, given: Given) -> Tensor:
    if any(operand(given, index).shape not in ((), (1,)) for index in (1, 2, 6, 7)):
        raise Coupled("scales rows by their place in the batch")
    return product(first(given), operand(given, 3))


def _quantization(node: Node, given: Given) -> Tensor:
    source, scale = first(given), operand(given, 1)
    all_free(given[1:])
    if scale.shape not in ((), (1,)) and (scale.rank != 1 or axis_of(node, source.rank, 1) == source.axis):
        raise Coupled("scales rows by their place in the batch")
    return of_rows(source.dimensions)


def _one_hot(node: Node, given: Given) -> Tensor:
    source = first(given)
    all_free(given[1:])
    axis = axis_of(node, source.rank + 1, -1)
    return of_rows((*source.dimensions[:axis], None, *source.dimensions[axis:]))


def _of_matrices(node: Node, given: Given) -> Tensor:
    source = first(given)
    if source.axis is not None and source.axis >= source.rank - 2:
        raise Coupled("takes rows for a matrix")
    return of_rows(source.dimensions)


def _einsum(node: Node, given: Given) -> Tensor:
    operands, arrow, result = node.equation.replace(" ", "").partition("->")
    if not arrow or "." in node.equation:
        raise Coupled("has an equation that is not followed")
    tensors = [each for each in given if each is not None]
    sizes: dict[str, Entry] = {}
    for letters, tensor in zip(operands.split(","), tensors, strict=True):
        for letter, size in zip(letters, tensor.dimensions, strict=True):
            if Size.ROWS in (size, sizes.get(letter, size)) and sizes.get(letter, size) is not size:
                raise Coupled("sets each row against something else by its place in the batch")
            sizes[letter] = size
    if any(size is Size.ROWS and letter not in result for letter, size in sizes.items()):
        raise Coupled("sums over the rows")
    return of_rows(sizes[letter] for letter in result)


def _recurrent(node: Node, given: Given) -> list[Tensor]:
    """X, W, R, B, the lengths of the sequences, the states to begin with, and an LSTM's peepholes."""
    source = first(given)
    rows = 0 if node.integers.get("layout", (0,)) == (1,) else 1
    states = [each for each in given[5:7] if each is not None]
    peepholes = given[7:] if node.op == "LSTM" else []
    lengths = optional(given, 4)
    if source.axis is None:
        all_free(given)
    elif source.axis != rows or any(each.axis != rows and each.dimensions[rows] != 1 for each in states):
        raise Coupled("takes rows for steps, or begins each by its place in the batch")
    elif lengths is not None and lengths.axis is None:
        raise Coupled("cuts rows by their place in the batch")
    all_free([*given[1:4], *peepholes])
    size = source.dimensions[rows]
    whole = (size, None, None, None) if rows == 0 else (None, None, size, None)
    last = (size, None, None) if rows == 0 else (None, size, None)
    return [of_rows(whole), of_rows(last), of_rows(last)][: len(node.outputs)]


def _words(text: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(text.split(), rule)


_NORMALIZED = "Softmax LogSoftmax Hardmax LpNormalization"
_ELEMENTWISE = """
    Abs Acos Acosh Add And Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor CastLike Ceil Celu
    Clip Cos Cosh Div Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish IsInf IsNaN
    LeakyRelu Less LessOrEqual Log Max Mean Min Mish Mod Mul Neg Not Or PRelu Pow Reciprocal RegexFullMatch Relu Round
    Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt StringConcat Sub Sum Swish Tan Tanh ThresholdedRelu Where
    Xor
"""
_REDUCTIONS = """
    ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
"""
_IMAGES = """
    AveragePool Conv ConvInteger ConvTranspose GlobalAveragePool GlobalLpPool GlobalMaxPool LpPool MaxPool
"""
_MICROSOFTS = "BiasGelu FastGelu Gelu QuickGelu"


def _dropout(node: Node, given: Given) -> list[Tensor]:
    return [of_rows(first(given).dimensions)] * len(node.outputs)


def _mean_variance(node: Node, given: Given) -> Tensor:
    source = first(given)
    if source.axis in {axis % source.rank for axis in node.integers.get("axes", (0, 2, 3))}:
        raise Coupled("takes its statistics from all rows")
    return of_rows(source.dimensions)


RULES: dict[tuple[str, str], Rule] = {
    **{("", op): rule for op, rule in LAYOUT.items()},
    **{
        ("", op): rule
        for op, rule in {
            **_words(_ELEMENTWISE, _elementwise),
            **_words(_REDUCTIONS, _reduction),
            **_words("ArgMax ArgMin", _arg_reduction),
            **_words(_NORMALIZED, _normalization),
            **_words("LayerNormalization RMSNormalization SimplifiedLayerNormalization", _layer_normalization),
            **_words(_IMAGES, _per_image),
            **_words("BatchNormalization GroupNormalization InstanceNormalization LRN", _per_channel),
            **_words("DepthToSpace SpaceToDepth", _images_moved),
            **_words("Resize Upsample", _resize),
            **_words("DequantizeLinear QuantizeLinear", _quantization),
            **_words("GRU LSTM RNN", _recurrent),
            "CumSum": _cumulation,
            "Det": _of_matrices,
            "Dropout": _dropout,
            "Einsum": _einsum,
            "Gemm": _gemm,
            "GridSample": _sampled,
            "MatMul": _matmul,
            "MatMulInteger": _integer_matmul,
            "MeanVarianceNormalization": _mean_variance,
            "OneHot": _one_hot,
            "QLinearConv": _per_image,
            "QLinearMatMul": _quantized_matmul,
            "TopK": _along_an_axis(-1),
            "Trilu": _of_matrices,
        }.items()
    },
    **{("ai.onnx.ml", op): rule for op, rule in TABLES.items()},
    **{("com.microsoft", op): rule for op, rule in _words(_MICROSOFTS, _elementwise).items()},
}
"""By domain and name. https://onnx.ai/onnx/operators/ has a page for each, and so has
https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md for those of com.microsoft."""
