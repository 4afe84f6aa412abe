"""The p99 beside the p50: what of many turns counts, and what is said of the others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from bench.figures.tails import Tail, Turn
from bench.figures.targets import RATIOS
from bench.figures.verdicts import judge
from bench.report.sections.tail import section
from bench.tail import rows


def tail(contender: str, ratios: Sequence[float], model: str = "trees", errors: int = 0) -> Tail:
    return Tail(contender, model, [Turn(1000, 0.5, 0.5 * ratio, errors) for ratio in ratios])


def verdicts(*tails: Tail) -> list[str]:
    return [str(each) for each in judge({"tail": {"tails": [asdict(one) for one in tails]}})[len(RATIOS) :]]


def test_the_median_counts_and_the_others_are_said() -> None:
    [[title, *cells]] = rows([tail("pawl", [3.0, 1.5, 2.5]), tail("pawl", [9.0], "network")], "trees")
    assert title == "Pawl"
    assert cells == ["2.50", "1.50", "3.00", "0.50", "1.25", "1,000", "0"]


def test_one_calm_turn_does_not_meet_a_target() -> None:
    pawl, bare, *_ = verdicts(tail("pawl", [1.9, 2.1, 2.2]), tail("bare", [2.1, 2.2, 2.3]))
    assert (pawl, bare) == ("**not met**, but in 1 of 3", "")


def test_the_verdict_tells_how_many_turns_agree() -> None:
    pawl, bare, *_ = verdicts(tail("pawl", [1.7, 1.9, 2.5]))
    assert (pawl, bare) == ("met, in 2 of 3", "not measured: scripts/bench tail")


def test_where_nothing_is_answered_nothing_is_met() -> None:
    assert verdicts(Tail("pawl", "trees", [Turn(0, 0, 0, 0)]))[0] == "**not met**"
    assert verdicts(tail("pawl", [1.5], errors=9))[0] == "not measured: there were 9 errors, which are quick"


def test_tails_survive_json_and_are_shown() -> None:
    tails = [tail("pawl", [1.8, 2.4]), tail("bare", [2.2, 2.6])]
    machine = {"processor": "a processor", "cores": 2, "memory_gb": 8, "kernel": "6", "wrk": "4.1", "load_average": 1.0}
    about = {"date": "today", "commit": "abc", "machine": machine, "turns": 2, "seconds": 2}
    content = json.loads(json.dumps({**about, "tails": [asdict(each) for each in tails]}))
    assert [Tail.of(each) for each in content["tails"]] == tails
    shown = "\n".join(section(content))
    assert "| Pawl | 2.10 | 1.80 | 2.40 | 0.50 | 1.05 | 1,000 | 0 |" in shown
    assert shown.index("| Pawl") < shown.index("| bare")
