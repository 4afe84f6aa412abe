"""The ONNX sessions that an author's class is given.

Importing this module loads numpy and ONNX Runtime: only a folder with an .onnx needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime

from ..errors import LoadFailed
from ..protocol import Merging, WorkerConfig
from . import provider
from .batcher import Batcher, Call
from .graph import Graph, read_graph
from .lane import Lane
from .merging import why_not_merge
from .probe import why_not_alike
from .signature import Signature, rows_of

_FATAL = 4
"""ONNX Runtime writes warnings about a model's age and errors that it raises as well to stderr, the author's log."""


class Session:
    """Behaves as `onnxruntime.InferenceSession` does; inside a request, its calls are merged with others' where that
    can't be seen. Whatever is not defined here is ONNX Runtime's own."""

    def __init__(self, name: str, session: Any, lane: Lane, batcher: Batcher, provider: str) -> None:
        self._name = name
        self._session = session
        self._lane = lane
        self._batcher = batcher
        self._provider = provider
        self._signature = Signature(session.get_inputs(), session.get_outputs())

    def run(
        self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any], run_options: Any = None
    ) -> list[Any]:
        """The outputs named (None: all), as ONNX Runtime computes them. Raises what ONNX Runtime raises."""
        call = self._call(output_names, input_feed) if run_options is None and self._batcher.can_park() else None
        if call is None:
            outputs: list[Any] = self._session.run(output_names, input_feed, run_options)
            return outputs
        self._batcher.park(call)
        return call.outcome()

    def get_inputs(self) -> Sequence[Any]:
        inputs: Sequence[Any] = self._session.get_inputs()
        return inputs

    def get_outputs(self) -> Sequence[Any]:
        outputs: Sequence[Any] = self._session.get_outputs()
        return outputs

    @property
    def merging(self) -> Merging:
        """Whether calls are merged now, and why or why not."""
        return Merging(session=self._name, merged=self._lane.merges, why=self._lane.why, provider=self._provider)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # asked for before there is a `_session`: while being copied, say
            raise AttributeError(name)
        return getattr(self._session, name)

    def _call(self, output_names: Sequence[str] | None, feeds: Mapping[str, Any]) -> Call | None:
        """The call to park; None where waiting would bring nothing: it can't be merged, and is quick."""
        if not isinstance(feeds, dict):
            return None
        if self._lane.merges and (fit := self._signature.fit(output_names, feeds)) is not None:
            form, rows = fit
            return Call(self._lane, form.outputs, feeds, rows, form)
        rows = rows_of(feeds)
        if not self._lane.is_slow(rows):
            return None
        return Call(self._lane, list(output_names) if output_names else None, feeds, rows)


def open_sessions(paths: Mapping[str, Path], config: WorkerConfig, batcher: Batcher) -> dict[str, Session]:
    """A session for each .onnx file, by the same keys (file stems). Raises LoadFailed, naming the file."""
    return {name: _open(name, path, config, batcher) for name, path in paths.items()}


def _open(name: str, path: Path, config: WorkerConfig, batcher: Batcher) -> Session:
    graph = read_graph(path)
    session = _inference_session(path, config)
    ran_on = provider.running(config.device, session)
    lane = Lane(name, session.run, max_rows=config.max_batch, merges=False, why="", notice=batcher.notice)
    problem = _why_apart(graph, session, lane)
    lane.merges, lane.why = not problem, problem or "every row came out the same together as apart"
    return Session(name, session, lane, batcher, ran_on)


def _why_apart(graph: Graph, session: Any, lane: Lane) -> str | None:
    """Why calls run one by one. The cheap question comes first: many models never get as far as the probe."""
    if lane.max_rows < 2:
        return "max_batch is 1"
    return why_not_merge(graph) or why_not_alike(graph, session, lane.took)


def _inference_session(path: Path, config: WorkerConfig) -> Any:
    providers = provider.providers_for(config.device)
    try:
        with provider.quiet():
            session = onnxruntime.InferenceSession(str(path), _options(config), providers=providers)
    except Exception as error:  # ONNX Runtime's exceptions have no base of their own
        raise LoadFailed(
            f"{path.name} can't be opened by ONNX Runtime {onnxruntime.__version__}: {' '.join(str(error).split())} "
            "If its opset or IR version is too new, export it with an older one; custom operators are not supported"
        ) from error
    session.disable_fallback()  # a failing GPU must be seen, not be replaced by a CPU while serving
    return session


def _options(config: WorkerConfig) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = config.cpus
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL
    # A spinning pool burns a core between calls, which the loop and the other workers need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
