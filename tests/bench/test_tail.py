"""The p99 beside the p50: what of many turns counts, and what is said of the others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from bench.sections.tail import section
from bench.tail import Tail, Turn, rows
from bench.targets import RATIOS
from bench.verdicts import judge


def tail(contender: str, ratios: Sequence[float], model: str = "trees") -> Tail:
    return Tail(contender, model, [Turn(0.5, 0.5 * ratio) for ratio in ratios])


def test_the_calmest_turn_counts_and_the_others_are_said() -> None:
    [[title, *cells]] = rows([tail("pawl", [3.0, 1.5, 2.5]), tail("pawl", [9.0], "network")], "trees")
    assert title == "Pawl"
    assert cells == ["1.50", "2.50", "3.00", "0.50", "0.75"]


def test_the_verdict_tells_how_many_turns_agree() -> None:
    tails = [tail("pawl", [3.0, 1.9, 2.5]), tail("bare", [2.1, 2.2, 2.3])]
    verdicts = [verdict for verdict in judge({"tail": {"tails": [asdict(each) for each in tails]}}) if verdict.reached]
    assert [str(verdict) for verdict in verdicts] == ["met, in 1 of 3 rounds", ""]
    assert str(verdicts[0].reached) == "1.90 (1.90–3.00)"  # noqa: RUF001


def test_no_calm_turn_is_not_met_and_no_turn_is_not_measured() -> None:
    pawl, bare, *_ = judge({"tail": {"tails": [asdict(tail("pawl", [2.1, 2.2]))]}})[len(RATIOS) :]
    assert (str(pawl), str(bare)) == ("**not met**", "not measured: scripts/bench tail")


def test_tails_survive_json_and_are_shown() -> None:
    tails = [tail("pawl", [1.8, 2.4]), tail("bare", [2.2, 2.6])]
    machine = {"processor": "a processor", "cores": 2, "memory_gb": 8, "kernel": "6", "wrk": "4.1", "load_average": 1.0}
    about = {"date": "today", "commit": "abc", "machine": machine, "turns": 2, "seconds": 2}
    content = json.loads(json.dumps({**about, "tails": [asdict(each) for each in tails]}))
    assert [Tail.of(each) for each in content["tails"]] == tails
    shown = "\n".join(section(content))
    assert "| Pawl | 1.80 | 2.10 | 2.40 | 0.50 | 0.90 |" in shown
    assert shown.index("| Pawl") < shown.index("| bare")
