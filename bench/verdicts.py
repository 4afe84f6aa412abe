"""Whether a target was reached: computed from what was measured, so that nobody has to dig."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.rounds import NotMeasured, Run, Spread
from bench.tail import Tail
from bench.targets import FIGURES, RATIOS, TAILS, Bound

HEADINGS = ("", "asked", "reached", "")


@dataclass(frozen=True)
class Verdict:
    """A bound, and what was reached."""

    bound: Bound
    reached: Spread | None
    missing: str = ""
    """What it would have taken, where nothing was reached."""

    def __str__(self) -> str:
        """The best of all rounds counts; how many rounds say otherwise is said."""
        bound, reached = self.bound, self.reached
        if reached is None:
            return f"not measured: {self.missing}"
        if bound.must is None:
            return ""
        for word, limit in (("goal met", bound.goal), ("met", bound.must)):
            if limit is not None and bound.holds(reached.value, limit):
                held = sum(bound.holds(value, limit) for value in reached.rounds)
                return word if held == len(reached.rounds) else f"{word}, in {held} of {len(reached.rounds)} rounds"
        return "**not met**"


def judge(kept: Mapping[str, Any]) -> list[Verdict]:
    """All targets, from the JSON of the parts that there are."""
    run = Run.of(kept["serve"]) if "serve" in kept else Run([])
    return [*judge_run(run), *_judge_tails(kept), *_judge_figures(kept)]


def judge_run(run: Run) -> list[Verdict]:
    """Those that `scripts/bench serve` measures."""
    verdicts = []
    for bound, compute in RATIOS:
        try:
            verdicts.append(Verdict(bound, run.spread(compute)))
        except NotMeasured as error:
            verdicts.append(Verdict(bound, None, str(error)))
    return verdicts


def rows(verdicts: Iterable[Verdict]) -> Iterable[Sequence[str]]:
    """What stands under the headings."""
    for verdict in verdicts:
        reached = str(verdict.reached) if verdict.reached else ""
        yield verdict.bound.what, verdict.bound.asked, reached, str(verdict)


def _judge_tails(kept: Mapping[str, Any]) -> Iterable[Verdict]:
    tails = [Tail.of(each) for each in kept["tail"]["tails"]] if "tail" in kept else []
    found = {(tail.contender, tail.model): tail.ratios for tail in tails}
    for bound, contender, model in TAILS:
        yield Verdict(bound, found.get((contender, model)), "scripts/bench tail")


def _judge_figures(kept: Mapping[str, Any]) -> Iterable[Verdict]:
    for bound, part, figure in FIGURES:
        if part in kept:
            yield Verdict(bound, Spread(kept[part]["figures"][figure]))
        else:
            yield Verdict(bound, None, f"scripts/bench {part}")
