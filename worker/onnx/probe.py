"""A test while a model loads: whether rows give the same results together as apart.

It costs some ten runs of at most four rows, and warms the session up. It can only find a difference, so it comes
after what the graph is known to do (see `merging`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .graph.graph import Graph
from .probe_rows import Feeds, Rows, together
from .signature import DTYPES

BUDGET_S = 2.0
"""A model that can't finish in this time is left unmerged: a push waits for the probe."""

TOLERANCE = 1e-4
COARSE_TOLERANCE = 1e-2
"""Relative to the largest value of the row. A matrix product of one row takes another kernel than one of several, and
sums in another order: float32 then differs by some 1e-6, a hundred times that after many layers and with rows of the
scales tried here. The coarse one: float16 has three digits, and so has TF32, in which a GPU multiplies float32."""

_SIZES = (5, 32, 128)
"""Tried for dimensions without a fixed size: a network that halves an image five times refuses the small ones."""

_WORDS = ("a", "b", "")

RunTogether = Callable[[Sequence[Feeds]], list[Any]]
Clock = Callable[[], float]


class OutOfTime(Exception):
    """The budget is used up."""


class Trial:
    """Runs one session within a budget, and tells how long each run took."""

    def __init__(
        self, session: Any, took: Callable[[int, float], None], together: RunTogether | None, clock: Clock
    ) -> None:
        self._clock = clock
        self._session = session
        self._took = took
        self._together = together
        self._names = [output.name for output in session.get_outputs()]
        self._deadline: float | None = None

    def run(self, feeds: Feeds) -> list[Any]:
        """All outputs. Raises OutOfTime, and what ONNX Runtime raises."""
        return self._timed(lambda: self._session.run(self._names, feeds), len(next(iter(feeds.values()))))

    def run_together(self, rows: Sequence[Feeds]) -> list[Any]:
        """The same for several rows at once, the way in which calls will be merged."""
        if self._together is None:
            return self.run(together(rows))
        run = self._together
        return self._timed(lambda: run(rows), len(rows))

    def _timed(self, run: Callable[[], list[Any]], rows: int) -> list[Any]:
        begun = self._clock()
        if self._deadline is not None and begun > self._deadline:
            raise OutOfTime
        outputs = run()
        now = self._clock()
        if self._deadline is None:  # the first run is mostly warming up, on a GPU for seconds
            self._deadline = now + BUDGET_S
        else:
            self._took(rows, now - begun)
        return outputs


def why_not_alike(
    graph: Graph,
    session: Any,
    took: Callable[[int, float], None],
    together: RunTogether | None = None,
    sizes: Sequence[int] = (),
    clock: Clock = time.perf_counter,
) -> str | None:
    """The difference found, in words; None where rows come out the same. `took` is told the runs' rows and seconds.
    `together`: how rows are run at once, where not as one call; batches of all `sizes` are tried as time allows.
    """
    trial = Trial(session, took, together, clock)
    tolerance = TOLERANCE if session.get_providers()[0] == "CPUExecutionProvider" else COARSE_TOLERANCE
    try:
        accepted = _accepted_rows(trial, graph, session)
        if isinstance(accepted, str):
            return accepted
        return _difference(trial, *accepted, tolerance) or _difference_in_sizes(trial, *accepted, sizes, tolerance)
    except OutOfTime:
        return f"trying it took longer than {BUDGET_S:g} s"
    except Exception as error:
        return f"rows that it takes apart, it refuses together: {_first_line(error)}"


def _accepted_rows(trial: Trial, graph: Graph, session: Any) -> tuple[Rows, list[list[Any]]] | str:
    """Rows that the session takes, and what it makes of each; or why it takes none."""
    for each in session.get_inputs():
        if each.type not in DTYPES:
            return f"input {each.name} is a {each.type}, of which numpy has no arrays"
    refusal = ""
    for rows in _kinds_of_rows(graph, session):
        try:
            return rows, [trial.run(single) for single in rows.singles()]
        except OutOfTime:
            raise
        except Exception as error:
            refusal = _first_line(error)
    return f"it refused every made-up row: {refusal}"


def _kinds_of_rows(graph: Graph, session: Any) -> Iterator[Rows]:
    inputs = session.get_inputs()
    words = _vocabulary(graph) or _WORDS
    for size in _SIZES if any(not isinstance(each, int) for i in inputs for each in i.shape[1:]) else _SIZES[:1]:
        for gentle in (False, True):
            yield Rows(inputs, size, words, gentle=gentle)


def _vocabulary(graph: Graph) -> tuple[str, ...]:
    """Words that the model knows: an encoder refuses others. Only one list, for there is no telling which input they
    are for."""
    lists = {node.strings for node in graph.walk() if node.strings}
    return lists.pop() if len(lists) == 1 else ()


def _difference(trial: Trial, rows: Rows, apart: list[list[Any]], tolerance: float) -> str | None:
    if not all(_is_a_row(output) for outputs in apart for output in outputs):
        return "one row in does not give one row out"
    singles = rows.singles()
    for first in (0, 1):  # in batches of two sizes, for a model may be made for one
        if problem := _compare(trial.run_together(singles[first:]), apart[first:], tolerance):
            return f"rows together differ from rows apart ({problem})"
    return _poisoning(trial, rows, apart, tolerance)


def _difference_in_sizes(
    trial: Trial, rows: Rows, apart: list[list[Any]], sizes: Sequence[int], tolerance: float
) -> str | None:
    """Going through the sizes warms them up, too."""
    singles = rows.singles()
    for size in sizes:
        picked = [index % len(singles) for index in range(size)]
        try:
            outputs = trial.run_together([singles[index] for index in picked])
        except OutOfTime:
            return None
        if problem := _compare(outputs, [apart[index] for index in picked], tolerance):
            return f"rows in a batch of {size} differ from rows apart ({problem})"
    return None


def _poisoning(trial: Trial, rows: Rows, apart: list[list[Any]], tolerance: float) -> str | None:
    """An unusual row, be it NaN, huge, or a whole number other than 0 and 1, must not be felt by its neighbours."""
    singles = rows.singles()
    for index, (poison, value) in enumerate(rows.poisons()):
        at = (0, len(singles) - 1)[index % 2]  # for a model may look at the first row, or at the last
        try:
            outputs = trial.run_together([*singles[:at], poison, *singles[at + 1 :]])
        except OutOfTime:
            raise
        except Exception:  # such a batch is run again call by call while serving, so nobody else feels it
            continue
        if problem := _compare(outputs, [*apart[:at], None, *apart[at + 1 :]], tolerance):
            return f"a row of {value:g} changes its neighbours ({problem})"
    return None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]


def _is_a_row(output: Any) -> bool:
    return isinstance(output, np.ndarray) and output.ndim > 0 and len(output) == 1


def _compare(outputs: Sequence[Any], apart: Sequence[list[Any] | None], tolerance: float) -> str | None:
    """`apart`: each row's outputs, None for a row not to compare. Returns where they differ, in words."""
    for position, output in enumerate(outputs):
        if len(output) != len(apart):
            return f"output {position} has {len(output)} rows for {len(apart)}"
        for index, row in enumerate(apart):
            if row is not None and not _alike(output[index], row[position][0], tolerance):
                return f"output {position}, row {index}"
    return None


def _alike(one: Any, other: Any, tolerance: float) -> bool:
    if np.shape(one) != np.shape(other):
        return False
    one, other = np.asarray(one), np.asarray(other)
    if one.dtype.kind != "f":
        return bool(np.array_equal(one, other))
    tolerance = COARSE_TOLERANCE if one.dtype == np.float16 else tolerance
    finite = np.isfinite(other)
    if not np.array_equal(one[~finite], other[~finite], equal_nan=True):
        return False
    largest = np.abs(other[finite]).max(initial=0)
    return bool(np.all(np.abs(one[finite].astype(float) - other[finite]) <= tolerance * largest + 1e-7))
