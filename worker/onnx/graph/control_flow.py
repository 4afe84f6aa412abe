"""Whether the content of rows decides how a graph is run.

An If or a Loop has one condition for the whole batch: where the rows' content decides it, it couples them.
"""

from __future__ import annotations

from .graph import Graph, Node

_SHAPES = frozenset({"Shape", "Size"})
"""What these return depends on no row's content. (On how many rows there are it does: the probe finds that.)"""

_LOOP_COUNTERS = 2
"""A Loop's own inputs are the most iterations and the condition, its body's the iteration and the condition."""


def control_problem(graph: Graph, content: set[str]) -> str | None:
    """The reason, in words, why the rows' content decides what runs; None where it doesn't.

    `content`: the names around the graph, and of its inputs, that depend on the rows' content. A result counts as
    dependent as soon as one operand is.
    """
    content = _spread(graph, content)
    for node in graph.nodes:
        if problem := _node_problem(node, content):
            return problem
        for inner in node.graphs:
            if problem := control_problem(inner, content | _handed_in(node, inner, content)):
                return problem
    return None


def _node_problem(node: Node, content: set[str]) -> str | None:
    if node.op == "If" and _touched(node, content):
        return "operator If has one condition for all rows, and their content decides it"
    if node.op == "Loop" and _content_ends(node, content):
        return "operator Loop runs for all rows until their content ends it"
    return None


def _content_ends(loop: Node, content: set[str]) -> bool:
    if not content.isdisjoint(loop.inputs[:_LOOP_COUNTERS]):
        return True
    return any(
        body.outputs[0].name in _spread(body, content | _handed_in(loop, body, content))
        for body in loop.graphs
        if body.outputs
    )


def _spread(graph: Graph, content: set[str]) -> set[str]:
    """`content`, and what the graph's nodes, which are in order, make of it."""
    content = set(content)
    for node in graph.nodes:
        if node.op not in _SHAPES and (_touched(node, content) or _captures(node, content)):
            content.update(node.outputs)
    return content


def _touched(node: Node, content: set[str]) -> bool:
    return not content.isdisjoint(node.inputs)


def _captures(node: Node, content: set[str]) -> bool:
    """Subgraphs see the names around them."""
    inner_nodes = [inner for graph in node.graphs for inner in graph.nodes]
    return any(_touched(inner, content) or _captures(inner, content) for inner in inner_nodes) or any(
        output.name in content for graph in node.graphs for output in graph.outputs
    )


def _handed_in(node: Node, inner: Graph, content: set[str]) -> set[str]:
    """The inner graph's inputs that depend on content, when any that the node hands in does."""
    if not _touched(node, content):
        return set()
    return {value.name for value in inner.inputs[_LOOP_COUNTERS if node.op == "Loop" else 0 :]}
