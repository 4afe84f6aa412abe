"""Where the rows lie after an operator that multiplies matrices, or takes the last two axes for one."""

from __future__ import annotations

from ..graph.graph import Node
from .operands import (
    Given,
    Rule,
    all_free,
    first,
    operand,
    optional,
)
from .values import Coupled, Entry, Size, Tensor, broadcast, of_rows


def _matmul(node: Node, given: Given) -> Tensor:
    return _product(first(given), operand(given, 1))


def _product(one: Tensor, other: Tensor) -> Tensor:
    """As numpy multiplies matrices, and stacks of them."""
    left, right = one.dimensions, other.dimensions
    if Size.ROWS in (left[-1], right[-2] if len(right) > 1 else right[-1]):
        raise Coupled("sums over the rows")
    stacks = broadcast([Tensor(left[:-2]), Tensor(right[:-2])]).dimensions
    return of_rows((*stacks, *left[-2:-1], *(right[-1:] if len(right) > 1 else ())))


def _gemm(node: Node, given: Given) -> Tensor:
    made = _product(_turned(node, "transA", first(given)), _turned(node, "transB", operand(given, 1)))
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
    return _product(first(given), operand(given, 1))


def _quantized_matmul(node: Node, given: Given) -> Tensor:
    if any(operand(given, index).shape not in ((), (1,)) for index in (1, 2, 6, 7)):
        raise Coupled("scales rows by their place in the batch")
    return _product(first(given), operand(given, 3))


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


MATRICES: dict[str, Rule] = {
    "Det": _of_matrices,
    "Einsum": _einsum,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "MatMulInteger": _integer_matmul,
    "QLinearMatMul": _quantized_matmul,
    "Trilu": _of_matrices,
}
