"""Whether a target was reached: computed from what was measured, so that nobody has to dig."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.figures.rounds import NotMeasured, Rounds, Spread
from bench.figures.tails import Tail
from bench.figures.targets import GPU, RATIOS, TAILS, Bound

HEADINGS = ("", "asked", "reached", "")


@dataclass(frozen=True)
class Verdict:
    """A bound, and what was reached."""

    bound: Bound
    reached: Spread | None
    missing: str = ""
    """What it would have taken, where nothing was reached."""

    def __str__(self) -> str:
        """The value counts; how many rounds, or turns, agree is said."""
        bound, reached = self.bound, self.reached
        if reached is None:
            return f"not measured: {self.missing}"
        if bound.must is None:
            return ""
        for word, limit in (("goal met", bound.goal), ("met", bound.must)):
            if limit is not None and bound.holds(reached.value, limit):
                held = self._held(reached, limit)
                return word if held == len(reached.rounds) else f"{word}, in {held} of {len(reached.rounds)}"
        held = self._held(reached, bound.must)
        return f"**not met**, but in {held} of {len(reached.rounds)}" if held else "**not met**"

    def _held(self, reached: Spread, limit: float) -> int:
        """In how many rounds it was."""
        return sum(self.bound.holds(value, limit) for value in reached.rounds)


def judge(kept: Mapping[str, Any]) -> list[Verdict]:
    """All targets, from the JSON of the parts that there are."""
    run = Rounds.of(kept["serve"]) if "serve" in kept else Rounds([])
    return [*judge_run(run), *_judge_tails(kept), _judge_gpu(kept)]


def judge_run(run: Rounds) -> list[Verdict]:
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
    found = {(tail.contender, tail.model): tail for tail in tails}
    for bound, contender, model in TAILS:
        tail = found.get((contender, model))
        if tail is None:
            yield Verdict(bound, None, "scripts/bench tail")
        elif tail.errors:
            yield Verdict(bound, None, f"there were {tail.errors} errors, which are quick")
        else:
            yield Verdict(bound, tail.ratios)


def _judge_gpu(kept: Mapping[str, Any]) -> Verdict:
    """Of each model, the load under which it reaches most."""
    if "gpu" not in kept:
        return Verdict(GPU, None, "scripts/bench gpu")
    models = kept["gpu"]["models"].values()
    if errors := sum(one["errors"] for model in models for one in model["samples"]):
        return Verdict(GPU, None, f"there were {errors} errors")
    return Verdict(GPU, Spread(min(max(one["rate"] / one["alone"] for one in model["samples"]) for model in models)))
