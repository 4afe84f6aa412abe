"""Where the rows lie after an operator that computes. One that is not here is not known to keep rows apart."""

from __future__ import annotations

from ..graph.graph import Node
from .axis_rules import ALONG_AXES
from .image_rules import IMAGES
from .layout_rules import LAYOUT
from .matrix_rules import MATRICES
from .operands import Given, Rule, all_free, axis_of, first, operand, optional, words
from .shape_arithmetic import compute
from .table_rules import TABLES
from .values import Coupled, Tensor, broadcast, of_rows


def _elementwise(node: Node, given: Given) -> Tensor:
    tensors = [each for each in given if each is not None]
    made = broadcast(tensors)
    numbers = [each.numbers for each in tensors if each.numbers is not None]
    is_short = made.axis is None and len(numbers) == len(tensors) and made.rank < 2
    return Tensor(made.shape, compute(node.op, numbers) if is_short else None)


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


def _dropout(node: Node, given: Given) -> list[Tensor]:
    return [of_rows(first(given).dimensions)] * len(node.outputs)


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


_ELEMENTWISE = """
    Abs Acos Acosh Add And Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor CastLike Ceil Celu
    Clip Cos Cosh Div Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish IsInf IsNaN
    LeakyRelu Less LessOrEqual Log Max Mean Min Mish Mod Mul Neg Not Or PRelu Pow Reciprocal RegexFullMatch Relu Round
    Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt StringConcat Sub Sum Swish Tan Tanh ThresholdedRelu Where
    Xor
"""
_MICROSOFTS = "BiasGelu FastGelu Gelu QuickGelu"

RULES: dict[tuple[str, str], Rule] = {
    **{
        ("", op): rule
        for op, rule in {
            **LAYOUT,
            **ALONG_AXES,
            **IMAGES,
            **MATRICES,
            **words(_ELEMENTWISE, _elementwise),
            **words("DequantizeLinear QuantizeLinear", _quantization),
            **words("GRU LSTM RNN", _recurrent),
            "Dropout": _dropout,
            "OneHot": _one_hot,
        }.items()
    },
    **{("ai.onnx.ml", op): rule for op, rule in TABLES.items()},
    **{("com.microsoft", op): rule for op, rule in words(_MICROSOFTS, _elementwise).items()},
}
"""By domain and name. https://onnx.ai/onnx/operators/ has a page for each, and so has
https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md for those of com.microsoft."""
