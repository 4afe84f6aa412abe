"""docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.report.sections import gpu, serve, tail, targets
from bench.report.sections.markdown import Section

_HEAD = """\
# Benchmarks

Written by `scripts/bench publish`; the figures behind it are in [benchmarks/](benchmarks/). To repeat it:

```console
$ scripts/bench serve --rounds 3   # Pawl, the limits and the peers; --help tells how to choose some
$ scripts/bench tail               # the p99 beside the p50, in many short turns
$ scripts/bench publish
```

Before and after a change of your own, `scripts/bench quick` compares Pawl with the bare app in under two minutes, and
`scripts/bench quick --against COMMIT` compares your checkout with that commit, in turn: the CPU time of a request, and
how far the turns differ.
What was tried to make it quicker, and what it gave, is in [tried.md](benchmarks/tried.md).

What to make of it:

- Everything runs on one machine, the load generator too: the more cores, the less they get in each other's way.
- One run measures everyone in turn, with the same two ONNX files and one ONNX Runtime thread for each session, so the
  ratios within a run mean more than the rates. In brackets: least and most of the rounds, of each round's own ratio.
  Where there are more than two cores, each server has two of them: Pawl, too, gives ONNX Runtime one thread there, as
  all others are told to. Each peer is set as well as we could; [peers.md](benchmarks/peers.md) tells what was tried.
- Before it is measured, each server's answers to 64 different rows, 16 at a time, are compared with ONNX Runtime's
  own; a wrong answer counts as a failure to start. The bare app answers a constant, so its answers are not compared.
  Under load all requests ask about one row.
- "CPU s/1,000" is the CPU time of all the server's processes for 1,000 requests ("?": one of them has ended, and took
  its count along), and "MB" their memory (PSS) after the load. What else a machine does disturbs the rates and the p99
  most, CPU time and memory least.
- p50 and p99 are of what was answered, without the requests that wrk makes up where an answer takes long (see
  `bench/load/wrk.py`).
- "batch" is the mean number of calls that Pawl merged, from its `/metrics`.
"""

SECTIONS: Mapping[str, Section] = {"serve": serve.section, "tail": tail.section, "gpu": gpu.section}
"""By the name that `figures_file.write` gives the JSON, from top to bottom."""


def render(kept: Mapping[str, Any]) -> str:
    """The page, from the JSON of the parts that there are."""
    parts = [_HEAD, *targets.section(kept)]
    for part, section in SECTIONS.items():
        if part in kept:
            parts += section(kept[part])
    if "gpu" not in kept:
        parts += gpu.unseen()
    return "\n".join(parts)
