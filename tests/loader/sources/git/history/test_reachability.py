"""What each commit reaches, against the definition, over graphs of every shape."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from loader.sources.git.history.reachability import Reachability

graphs = st.lists(st.lists(st.integers(min_value=1, max_value=7), max_size=3), max_size=40).map(
    lambda drawn: [tuple({max(0, at - back) for back in backs}) if at else () for at, backs in enumerate(drawn)]
)
"""Each commit's parents, which come before it, and not long before: so lines run on beside each other, and cross."""

MET: list[tuple[int, ...]] = [(), (0,), (0,), (2,), (1,), (2, 4), (3, 4), (5, 6)]
"""The last merges two lines that meet in a commit which each of them reaches by a merge alone."""


@settings(max_examples=500)
@example(MET)
@given(graphs)
def test_a_commit_reaches_itself_and_all_that_its_parents_reach(graph: list[tuple[int, ...]]) -> None:
    reached = reach(graph)
    reachability = Reachability()
    reachability.grow(len(graph), graph.__getitem__)
    for at in range(len(graph)):
        assert {other for other in range(len(graph)) if reachability.reaches(at, other)} == reached[at]


@settings(max_examples=500)
@example(MET)
@given(graphs)
def test_a_commit_adds_to_its_line_just_what_that_does_not_reach(graph: list[tuple[int, ...]]) -> None:
    reached = reach(graph)
    reachability = Reachability()
    for length in range(len(graph) + 1):
        reachability.grow(length, graph.__getitem__)
    for at, parents in enumerate(graph):
        line = reachability.line[at]
        assert line == -1 if not parents else len(reached[line]) == max(len(reached[parent]) for parent in parents)
        added = reachability.added.get(at, ())
        assert len(set(added)) == len(added)
        assert {at, *added} == reached[at] - (reached[line] if parents else set())


def reach(graph: list[tuple[int, ...]]) -> list[set[int]]:
    reached: list[set[int]] = []
    for at, parents in enumerate(graph):
        reached.append({at}.union(*(reached[parent] for parent in parents)))
    return reached
