"""What more gateways and workers give, and where it bends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bench.capacity import Bend
from bench.gateways import HEADINGS, Scaled, rows, scenes
from bench.models import MODELS
from bench.sections.markdown import measured_on, table

_CORES = (2, 4, 8)
_CONNECTIONS = 256

_REASONING = """\
### Where it bends: reasoning, not measured

From the CPU times above, one can say what so many cores can give at most:

    rate ≤ cores / (gateway + worker + wrk)        all of them share the cores
    rate ≤ gateways / gateway                      a gateway is one thread
    rate ≤ workers / loop                          so is a worker's loop: its Python, and sessions that are quick
    rate ≤ workers · threads / (worker - loop)     its other threads: sessions that are slow; threads as Pawl sets them
    rate ≤ 1 / wrk                                 the load generator is one thread, where it is on the same cores

The least of them is where it bends, and the brackets name it. "Here" has wrk on the same cores, to hold the
reasoning to what was measured; the others have it elsewhere. Where cores are named, more processes would only share
them: the CPU time of a request decides. Where gateways or workers are, more of them help. With few connections the
bound is not reached: gateway and worker take turns, for neither has anything to do until the other has answered, so
that the rate is nearer to 1 / (gateway + worker) however many cores there are.
"""


def section(content: Any) -> Iterable[str]:
    """Paragraphs, from the JSON of `scripts/bench gateways`."""
    scaled = [Scaled.of(each) for each in content["scaled"]]
    yield "## More gateways, more workers\n"
    yield f"{measured_on(content)} {content['seconds']:g} s each.\n"
    yield (
        'CPU times are of one request; a worker\'s loop is its main thread; "cores busy" is of gateways, workers, '
        "daemon and wrk together. A worker's ONNX Runtime has as many threads as there are cores, but one, shared out "
        "among the workers, and at least one.\n"
    )
    for model, connections in scenes(scaled):
        yield f"{MODELS[model].title}; connections: {connections}\n"
        yield table(HEADINGS, rows(_at(scaled, model, connections)))
    yield _REASONING
    yield from _bends(content, scaled)


def _bends(content: Any, scaled: Sequence[Scaled]) -> Iterable[str]:
    cores = content["machine"]["cores"]
    for model in dict.fromkeys(model for model, _ in scenes(scaled)):
        yield f"{MODELS[model].title}; CPU times as with {_CONNECTIONS} connections; requests/s at most, and by what:\n"
        yield table(
            ["", "measured", f"here ({cores})", *(f"{count} cores" for count in _CORES)],
            [
                [
                    one.title,
                    f"{one.sample.rate:,.0f}",
                    _told(one.bend_here(cores)),
                    *(_told(one.bend(count)) for count in _CORES),
                ]
                for one in _at(scaled, model, _CONNECTIONS)
            ],
        )


def _told(bend: Bend) -> str:
    return f"{bend.rate:,.0f} ({bend.by})"


def _at(scaled: Sequence[Scaled], model: str, connections: int) -> list[Scaled]:
    return [one for one in scaled if (one.sample.model, one.sample.connections) == (model, connections)]
