"""What the rules of operators ask of a node's operands and attributes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..graph.graph import Node
from .values import Coupled, Tensor

Given = Sequence[Tensor | None]
Rule = Callable[[Node, Given], Tensor | list[Tensor]]


def first(given: Given) -> Tensor:
    return operand(given, 0)


def operand(given: Given, index: int) -> Tensor:
    found = optional(given, index)
    if found is None:
        raise Coupled("lacks an operand")
    return found


def optional(given: Given, index: int) -> Tensor | None:
    return given[index] if index < len(given) else None


def fixed(tensor: Tensor | None) -> list[int] | None:
    """Whole numbers that are known."""
    if tensor is None or tensor.numbers is None:
        return None
    numbers = [each for each in tensor.numbers if isinstance(each, int | float)]
    return [int(each) for each in numbers] if len(numbers) == len(tensor.numbers) else None


def from_attribute_or_operand(node: Node, name: str, given: Given, index: int) -> list[int] | None:
    """Older operator sets have as an attribute what newer ones have as an operand. None: not given, or not known."""
    if name in node.integers:
        return list(node.integers[name])
    there = optional(given, index)
    numbers = fixed(there)
    if there is not None and numbers is None:
        raise Coupled(f"computes its {name}")
    return numbers


def axis_of(node: Node, rank: int, default: int) -> int:
    (axis,) = node.integers.get("axis", (default,))
    return axis % rank if rank else 0


def keep_off(axis: int, tensor: Tensor, what: str = "goes along the rows") -> None:
    if axis == tensor.axis:
        raise Coupled(what)


def all_free(tensors: Given) -> None:
    if any(each is not None and each.axis is not None for each in tensors):
        raise Coupled("is steered by what rows hold")


def words(text: str, rule: Rule) -> dict[str, Rule]:
    """The rule for each operator that the text names."""
    return dict.fromkeys(text.split(), rule)
