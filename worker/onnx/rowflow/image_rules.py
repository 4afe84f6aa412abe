"""Where the rows lie after an operator on images, whose axes are rows, channels, and then the image's own."""

from __future__ import annotations

from ..graph.graph import Node
from .operands import (
    Given,
    Rule,
    all_free,
    first,
    operand,
    optional,
    words,
)
from .values import Coupled, Entry, Size, Tensor, of_rows


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


def _images_moved(node: Node, given: Given) -> Tensor:
    source = _rows_first(given)
    return of_rows((source.dimensions[0], *[None] * (source.rank - 1)))


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


def _sampled(node: Node, given: Given) -> Tensor:
    source, grid = first(given), operand(given, 1)
    if source.axis != grid.axis or source.axis not in (None, 0):
        raise Coupled("samples rows by their place in the batch")
    return of_rows((source.dimensions[0], *[None] * (source.rank - 1)))


def _rows_first(given: Given) -> Tensor:
    source = first(given)
    if source.axis not in (None, 0):
        raise Coupled("takes rows for channels")
    return source


_IMAGES = """
    AveragePool Conv ConvInteger ConvTranspose GlobalAveragePool GlobalLpPool GlobalMaxPool LpPool MaxPool QLinearConv
"""

IMAGES: dict[str, Rule] = {
    **words(_IMAGES, _per_image),
    **words("BatchNormalization GroupNormalization InstanceNormalization LRN", _per_channel),
    **words("DepthToSpace SpaceToDepth", _images_moved),
    **words("Resize Upsample", _resize),
    "GridSample": _sampled,
}
