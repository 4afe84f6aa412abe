"""`scripts/bench publish`: the newest figures of each part, into docs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.figures import figures_file
from bench.figures.rounds import Rounds
from bench.inputs.models import MODELS
from bench.machine.home import ROOT
from bench.machine.screen import console
from bench.peers.contenders import CONTENDERS
from bench.report import page, plot
from bench.serve import CONNECTIONS
from bench.tail import TURNS

_DOCS = ROOT / "docs"
_KEPT = _DOCS / "benchmarks"


def main() -> None:
    """Write docs/benchmarks.md, its picture and the JSON behind it from what was measured last.

    Runs of a part of what there is, or with uncommitted changes, are passed over.
    """
    _KEPT.mkdir(exist_ok=True)
    for part in page.SECTIONS:
        if newest := figures_file.newest(part, fits):
            _file(part).write_text(figures_file.dump(newest))
            console.print(f"{part}: of {newest['date']}, commit {newest['commit']}")
    kept = {part: json.loads(_file(part).read_text()) for part in page.SECTIONS if _file(part).exists()}
    if "serve" in kept:
        (_KEPT / "rates.svg").write_text(plot.svg(_charts(kept["serve"])))
    (_DOCS / "benchmarks.md").write_text(page.render(kept))
    console.print("wrote docs/benchmarks.md")


def fits(kept: figures_file.Kept) -> bool:
    """Whether a run may stand for what the page says it measured: of a commit, and of all that the part consists of."""
    if kept["commit"].endswith("+"):
        return False
    match kept["part"]:
        case "serve":
            plan = kept["plan"]
            named = {*plan["contenders"]} == {*CONTENDERS} and {*plan["models"]} == {*MODELS}
            return named and {*plan["connections"]} >= {*CONNECTIONS}
        case "tail":
            return bool(kept["turns"] >= TURNS)
        case _:
            return True


def _file(part: str) -> Path:
    return _KEPT / f"{part}.json"


def _charts(serve: Any) -> dict[str, plot.Bars]:
    run = Rounds.of(serve)
    samples = sorted(run.best.samples.values(), key=lambda one: -one.rate)
    return {
        f"{model}, {connections} connections, requests/s": [
            (one.contender, CONTENDERS[one.contender].title, one.rate)
            for one in samples
            if (one.model, one.connections) == (model, connections)
        ]
        for model, connections in run.scenes
        if connections > 1
    }
