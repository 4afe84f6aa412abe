"""The structure of an ONNX file: its operators and the shapes of what goes in and out, without its weights.

The `onnx` package would cost every worker a hundred milliseconds and every model's environment a dependency.
Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, whose message each function names.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import LoadFailed
from .protobuf import Malformed, fields, integers, signed, text
from .tensors import Constant, read_constant

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""How one begins. https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md"""

_MAX_VOCABULARY = 64

Dimension = int | str | None
"""A fixed size, a symbol, or unknown."""


@dataclass(frozen=True, slots=True)
class Value:
    """What goes into a graph or comes out of it."""

    name: str
    kind: str
    """"tensor", or what else it is: "sequence", "map", "optional", "sparse tensor", "opaque value"."""
    shape: tuple[Dimension, ...] | None = None
    """None: the rank is unknown."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operator of a graph."""

    op: str
    domain: str
    """Empty: ONNX's own."""
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    integers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Attributes that are integers or lists of them, of those named in `_WANTED`."""
    constants: tuple[Constant, ...] = ()
    """Tensors among the attributes."""
    equation: str = ""
    is_parametric: bool = False
    """Whether an attribute is handed in by the caller of the function that this is a part of."""
    strings: tuple[str, ...] = ()
    """The first of the categories it knows (`cats_strings`, `keys_strings`)."""
    graphs: tuple[Graph, ...] = ()
    """The branches of an If, the body of a Loop or a Scan."""


@dataclass(frozen=True, slots=True)
class Graph:
    inputs: tuple[Value, ...]
    """Without the initializers, which older files list here too."""
    outputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    constants: Mapping[str, Constant] = field(default_factory=dict)
    """The initializers."""
    functions: Mapping[tuple[str, str], Graph] = field(default_factory=dict)
    """The model's own operators, by domain and name; their inputs and outputs are names only."""

    def all_constants(self) -> Iterator[Constant]:
        """Initializers and attributes, those of subgraphs and of the model's own operators included."""
        yield from self.constants.values()
        for node in self.nodes:
            yield from node.constants
            for graph in node.graphs:
                yield from graph.all_constants()
        for function in self.functions.values():
            yield from function.all_constants()

    def walk(self) -> Iterator[Node]:
        """All nodes, those of subgraphs and of the model's own operators included."""
        for node in self.nodes:
            yield node
            for graph in node.graphs:
                yield from graph.walk()
        for function in self.functions.values():
            yield from function.walk()


_WANTED = frozenset(
    {
        *("axis", "axes", "training_mode", "perm", "keepdims", "noop_with_empty_axes", "transA", "transB", "to"),
        *("allowzero", "batch_dims", "layout", "start", "end", "starts", "ends", "pads", "split", "num_outputs"),
        *("value_int", "value_ints", "num_scan_inputs", "scan_input_axes", "scan_output_axes"),
    }
)
_VOCABULARIES = frozenset({"cats_strings", "keys_strings"})


def read_graph(path: Path) -> Graph:
    """The structure of an .onnx file, in time proportional to its nodes. Raises LoadFailed."""
    with path.open("rb") as file:
        start = file.read(len(LFS_POINTER))
        if not start:
            raise LoadFailed(f"{path.name} is empty")
        if start == LFS_POINTER:
            raise LoadFailed(
                f"{path.name} is a Git LFS pointer, not the model itself: push it with `git lfs push`, "
                "and let what serves it reach the LFS server"
            )
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pages, memoryview(pages) as message:
            return _read(path, message)


def _read(path: Path, message: memoryview) -> Graph:
    try:
        return _model(message)
    except (Malformed, RecursionError) as error:
        reason = str(error)
    # Outside the handler: the traceback would keep views of the pages, and the map could not be closed.
    raise LoadFailed(f"{path.name} is not an ONNX model ({reason}): export it again")


def _model(message: memoryview) -> Graph:
    """ModelProto."""
    graph, functions = None, {}
    for number, _, value in fields(message):
        if number == 7:
            graph = _graph(value)
        elif number == 25:
            name, function = _function(value)
            functions[name] = function
    if graph is None:
        raise Malformed("it holds no graph")
    return Graph(graph.inputs, graph.outputs, graph.nodes, graph.constants, functions)


def _graph(message: memoryview) -> Graph:
    """GraphProto."""
    nodes, inputs, outputs, initializers = [], [], [], {}
    for number, _, value in fields(message):
        if number == 1:
            nodes.append(_node(value))
        elif number == 5:
            name, constant = read_constant(value)
            initializers[name] = constant
        elif number == 11:
            inputs.append(_value(value))
        elif number == 12:
            outputs.append(_value(value))
    given = tuple(each for each in inputs if each.name not in initializers)
    return Graph(given, tuple(outputs), tuple(nodes), initializers)


def _function(message: memoryview) -> tuple[tuple[str, str], Graph]:
    """FunctionProto."""
    inputs, outputs, nodes = [], [], []
    for number, _, value in fields(message):
        if number == 4:
            inputs.append(Value(text(value), "tensor"))
        elif number == 5:
            outputs.append(Value(text(value), "tensor"))
        elif number == 7:
            nodes.append(_node(value))
    return (_string(message, 10), _string(message, 1)), Graph(tuple(inputs), tuple(outputs), tuple(nodes))


def _node(message: memoryview) -> Node:
    """NodeProto."""
    op, domain, equation, is_parametric = "", "", "", False
    inputs, outputs, strings, graphs, constants = [], [], [], [], []
    numbers = {}
    for number, _, value in fields(message):
        if number == 1:
            inputs.append(text(value))
        elif number == 2:
            outputs.append(text(value))
        elif number == 4:
            op = text(value)
        elif number == 7:
            domain = text(value)
        elif number == 5:
            each = _attribute(value)
            if each.integers:
                numbers[each.name] = tuple(each.integers)
            strings += each.strings
            graphs += each.graphs
            constants += each.constants
            equation = equation or each.equation
            is_parametric = is_parametric or each.is_handed_in
    return Node(
        op,
        "" if domain == "ai.onnx" else domain,
        tuple(inputs),
        tuple(outputs),
        numbers,
        tuple(constants),
        equation,
        is_parametric,
        tuple(strings),
        tuple(graphs),
    )


@dataclass(slots=True)
class _Attribute:
    name: str = ""
    integers: list[int] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)
    graphs: list[Graph] = field(default_factory=list)
    constants: list[Constant] = field(default_factory=list)
    equation: str = ""
    is_handed_in: bool = False


def _attribute(message: memoryview) -> _Attribute:
    """AttributeProto. Lists that nobody wants are left unread: a tree ensemble's have millions of elements."""
    it = _Attribute()
    for number, plain, value in fields(message):
        if number == 1:
            it.name = text(value)
        elif number in (6, 11):
            it.graphs.append(_graph(value))
        elif number == 5:
            it.constants.append(read_constant(value)[1])
        elif number == 4 and it.name == "equation":
            it.equation = text(value)
        elif number == 3 and it.name in _WANTED:
            it.integers.append(signed(plain))
        elif number == 8 and it.name in _WANTED:
            it.integers += integers(plain, value)
        elif number == 9 and it.name in _VOCABULARIES and len(it.strings) < _MAX_VOCABULARY:
            it.strings.append(text(value))
        elif number in (7, 8, 9):
            break
        elif number == 21:
            it.is_handed_in = True
    return it


_KINDS = {1: "tensor", 4: "sequence", 5: "map", 7: "opaque value", 8: "sparse tensor", 9: "optional"}


def _value(message: memoryview) -> Value:
    """ValueInfoProto."""
    name, kind, shape = "", "value of unknown type", None
    for number, _, value in fields(message):
        if number == 1:
            name = text(value)
        elif number == 2:
            kind, shape = _type(value)
    return Value(name, kind, shape)


def _type(message: memoryview) -> tuple[str, tuple[Dimension, ...] | None]:
    """TypeProto."""
    for number, _, value in fields(message):
        if number in _KINDS:
            shapes = [_shape(inner) for field_, _, inner in fields(value) if field_ == 2] if number == 1 else []
            return _KINDS[number], (shapes[0] if shapes else None)
    return "value of unknown type", None


def _shape(message: memoryview) -> tuple[Dimension, ...]:
    """TensorShapeProto."""
    return tuple(_dimension(value) for number, _, value in fields(message) if number == 1)


def _dimension(message: memoryview) -> Dimension:
    """TensorShapeProto.Dimension."""
    for number, plain, value in fields(message):
        if number == 1:
            return signed(plain)
        if number == 2:
            return text(value) or None
    return None


def _string(message: memoryview, wanted: int) -> str:
    """One field of a message, which is text."""
    return next((text(value) for number, _, value in fields(message) if number == wanted), "")
