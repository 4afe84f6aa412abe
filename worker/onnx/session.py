"""The ONNX sessions that an author's class is given.

Importing this module loads numpy and ONNX Runtime: only a folder with an .onnx needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..wire.messages import Merging, WorkerConfig
from .batchable import Batchable
from .batcher import Batcher, Call, run_together
from .binding import Binding, can_bind
from .graph.external_data import check_outside
from .graph.graph import Graph, read_graph
from .open_file import Opened, open_file
from .probe import why_not_alike
from .rowflow.merging import why_not_merge
from .signature import Signature, rows_of


class Session:
    """Behaves as `onnxruntime.InferenceSession` does; inside a request, its calls are merged with others' where that
    can't be seen. Whatever is not defined here is ONNX Runtime's own."""

    def __init__(self, name: str, opened: Opened, batchable: Batchable, batcher: Batcher, signature: Signature) -> None:
        self._name = name
        self._opened = opened
        self._session = opened.session
        self._batchable = batchable
        self._runs = _Runs(opened.session.run, batchable, batcher, signature)

    def run(
        self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any], run_options: Any = None
    ) -> list[Any]:
        """The outputs named (None: all), as ONNX Runtime computes them. Raises what ONNX Runtime raises."""
        return self._runs.run(output_names, input_feed, run_options)

    def get_inputs(self) -> Sequence[Any]:
        inputs: Sequence[Any] = self._session.get_inputs()
        return inputs

    def get_outputs(self) -> Sequence[Any]:
        outputs: Sequence[Any] = self._session.get_outputs()
        return outputs

    @property
    def merging(self) -> Merging:
        """Whether calls are merged now, and why or why not."""
        return Merging(
            session=self._name,
            merged=self._batchable.merges,
            why=self._batchable.why,
            provider=self._opened.provider,
            nodes=dict(self._opened.nodes),
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # asked for before there is a `_session`: while being copied, say
            raise AttributeError(name)
        return getattr(self._session, name)


class _Runs:
    """How a session runs its calls. Beside `Session`, whose `__getattr__` makes each look at an attribute slow."""

    def __init__(
        self, run: Callable[..., list[Any]], batchable: Batchable, batcher: Batcher, signature: Signature
    ) -> None:
        self._run = run
        self._batchable = batchable
        self._batcher = batcher
        self._signature = signature

    def run(self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any], run_options: Any) -> list[Any]:
        call = self._call(output_names, input_feed) if run_options is None and self._batcher.can_wait() else None
        if call is None:
            return self._run(output_names, input_feed, run_options)
        self._batcher.wait(call)
        return call.outcome()

    def _call(self, output_names: Sequence[str] | None, feeds: Mapping[str, Any]) -> Call | None:
        """The call to give to the batcher; None for one that can't be merged and is quick, which runs at once."""
        if not isinstance(feeds, dict):
            return None
        if self._batchable.merges and (fit := self._signature.fit(output_names, feeds)) is not None:
            form, rows = fit
            return Call(self._batchable, form.outputs, feeds, rows, form)
        rows = rows_of(feeds)
        if not self._batchable.is_slow(rows):
            return None
        return Call(self._batchable, list(output_names) if output_names else None, feeds, rows)


def open_sessions(paths: Mapping[str, Path], config: WorkerConfig, batcher: Batcher) -> dict[str, Session]:
    """A session for each .onnx file, by the same keys (file stems). Raises LoadFailed, naming the file."""
    return {name: _open(name, path, config, batcher) for name, path in paths.items()}


def _open(name: str, path: Path, config: WorkerConfig, batcher: Batcher) -> Session:
    graph = read_graph(path)
    check_outside(path, graph)
    opened = open_file(path, config, batcher.notice)
    batchable = Batchable(
        name, opened.session.run, max_rows=config.max_batch, merges=False, why="", notice=batcher.notice
    )
    signature = Signature(opened.session.get_inputs(), opened.session.get_outputs())
    problem = _why_apart(graph, opened, batchable, signature)
    batchable.merges, batchable.why = not problem, problem or "every row came out the same together as apart"
    return Session(name, opened, batchable, batcher, signature)


def _why_apart(graph: Graph, opened: Opened, batchable: Batchable, signature: Signature) -> str | None:
    """Why calls run one by one. The cheap question comes first: many models never get as far as the probe."""
    if batchable.max_rows < 2:
        return "max_batch is 1"
    if problem := why_not_merge(graph):
        return problem
    if opened.device is None or not can_bind(opened.session):
        return why_not_alike(graph, opened.session, batchable.took)
    batchable.binding = Binding(opened.session, opened.device, batchable.max_rows)
    return _why_apart_bound(graph, opened.session, batchable, batchable.binding.sizes, signature)


def _why_apart_bound(
    graph: Graph, session: Any, batchable: Batchable, sizes: Sequence[int], signature: Signature
) -> str | None:
    """Tries the buffers as well, in every size, which is what warms a GPU up."""

    def together(rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        [form] = {fit[0] for fit in (signature.fit(None, row) for row in rows) if fit is not None}
        return run_together([Call(batchable, form.outputs, row, 1, form) for row in rows], len(rows))

    problem = why_not_alike(graph, session, batchable.took, together, sizes)
    if problem is None:
        return None
    if (without := why_not_alike(graph, session, batchable.took, sizes=sizes)) is None:
        batchable.stop_binding(problem)
    batchable.binding = None
    return without
