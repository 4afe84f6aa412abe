"""What several rounds say together, and whether a target was reached."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.contenders.limits import Limit
from bench.figures.rounds import NotMeasured, Rounds, Spread
from bench.figures.sample import Failure, Sample, best
from bench.figures.table import rows
from bench.figures.targets import Bound
from bench.figures.verdicts import Verdict, judge, judge_run
from bench.machine.cores import share
from bench.serve import figures

Pairs = st.lists(st.tuples(st.floats(1, 1e6), st.floats(1, 1e6)), min_size=1, max_size=5)


def sample(contender: str, rate: float, number: int = 0, p50_ms: float = 1.0, connections: int = 32) -> Sample:
    return Sample(
        contender=contender,
        model="trees",
        connections=connections,
        rate=rate,
        p50_ms=p50_ms,
        p99_ms=2.0,
        errors=number,
        cpu_s={"worker": 0.1},
        memory_mb=100.0,
        batch=4.0,
        load_average=0.5,
        round=number,
    )


def run(pairs: Sequence[tuple[float, float]]) -> Rounds:
    """Pawl's and the bare app's rates, by rounds."""
    samples = []
    for number, (pawl, bare) in enumerate(pairs):
        samples += [sample("pawl", pawl, number), sample("bare", bare, number)]
    return Rounds(samples)


def ratio(of: Rounds) -> Spread:
    return of.ratio(of.best.sample("pawl", "trees", 32), "bare")


def test_the_best_round_counts_and_the_errors_of_all() -> None:
    [chosen] = best([sample("pawl", 10, 1), sample("pawl", 30, 2), sample("pawl", 20, 0)])
    assert (chosen.rate, chosen.errors) == (30, 3)


def test_a_ratio_is_of_the_bests_and_its_spread_is_of_each_rounds_own() -> None:
    spread = ratio(run([(60, 100), (65, 110), (63, 90)]))
    assert spread.value == 65 / 110
    assert spread.rounds == (60 / 100, 65 / 110, 63 / 90)
    assert str(spread) == "0.59 (0.59–0.70)"  # noqa: RUF001


def test_one_round_has_no_spread() -> None:
    assert str(ratio(run([(60, 100)]))) == "0.60"


@given(Pairs)
def test_the_ratio_of_the_bests_is_between_those_of_the_rounds(pairs: list[tuple[float, float]]) -> None:
    spread = ratio(run(pairs))
    assert min(spread.rounds) * 0.999999 <= spread.value <= max(spread.rounds) * 1.000001


def test_a_round_without_one_of_the_two_has_no_ratio() -> None:
    halved = Rounds([sample("pawl", 60, 0), sample("bare", 100, 0), sample("pawl", 70, 1)])
    assert ratio(halved).rounds == (0.6,)


def test_a_ratio_to_someone_who_was_not_measured_is_not_made_up() -> None:
    alone = Rounds([sample("pawl", 60)])
    with pytest.raises(NotMeasured, match="bare with trees at 32"):
        ratio(alone)
    [[title, rate, of_bare, of_pawl, *_]] = rows(alone, "trees", 32)
    assert (title, rate, of_bare, of_pawl) == ("Pawl", "60", "", "1.00")


def test_the_rows_have_the_spread() -> None:
    bare, pawl = rows(run([(60, 100), (70, 90)]), "trees", 32)
    assert (pawl[2], pawl[3]) == ("0.70 (0.60–0.78)", "1.00")  # noqa: RUF001
    assert (bare[2], bare[3]) == ("1.00", "1.43 (1.29–1.67)")  # noqa: RUF001


def test_a_run_survives_json() -> None:
    done = Rounds(
        [sample("pawl", 60, 1)], [Limit("trees", 32, 1e5, 1)], [Failure("ray", "trees", "it caught fire")], [0.01]
    )
    assert Rounds.of(json.loads(json.dumps(figures(done)))) == done


def test_onnxruntime_alone_counts_with_its_best_round_too() -> None:
    done = Rounds(
        [sample("pawl", 60, 0), sample("pawl", 60, 1)], [Limit("trees", 32, 200, 0), Limit("trees", 32, 100, 1)]
    )
    assert done.spread(lambda view: view.limit("trees", 32)) == Spread(200, (200, 100))


@pytest.mark.parametrize(
    ("reached", "word"),
    [
        (Spread(0.8, (0.8, 0.76)), "goal met"),
        (Spread(0.76, (0.76, 0.7)), "goal met, in 1 of 2"),
        (Spread(0.7, (0.7, 0.66)), "met"),
        (Spread(0.66, (0.66, 0.6)), "met, in 1 of 2"),
        (Spread(0.64, (0.64, 0.63)), "**not met**"),
        (Spread(0.64, (0.64, 0.66)), "**not met**, but in 1 of 2"),
        (None, "not measured: bare"),
    ],
)
def test_a_verdict_is_on_the_best_and_says_where_rounds_disagree(reached: Spread | None, word: str) -> None:
    assert str(Verdict(Bound("", 0.65, 0.75), reached, "bare")) == word


def test_less_is_better_where_the_bound_says_so() -> None:
    bound = Bound("p50", 0.35, 0.25, at_most=True)
    assert [str(Verdict(bound, Spread(value))) for value in (0.2, 0.3, 0.4)] == ["goal met", "met", "**not met**"]


def test_what_is_only_compared_with_has_no_verdict() -> None:
    bound = Bound("the bare app's own p99 / p50")
    assert (bound.asked, str(Verdict(bound, Spread(2.7)))) == ("", "")


def test_targets_are_computed_from_the_samples() -> None:
    alone = [sample("pawl", 900, p50_ms=0.3, connections=1), sample("bare", 3000, p50_ms=0.1, connections=1)]
    verdicts = {verdict.bound.what: verdict for verdict in judge_run(Rounds([*run([(70, 100)]).samples, *alone]))}
    of_bare = verdicts["trees, 32 connections: of the bare app"]
    p50 = verdicts["trees, 1 connection: p50 above the bare app's, ms"]
    four = verdicts["… of the best of LitServe, BentoML, MLServer, Ray Serve"]
    assert (of_bare.reached, str(of_bare)) == (Spread(0.7, (0.7,)), "met")
    assert p50.reached is not None
    assert (p50.reached.value, str(p50)) == (pytest.approx(0.2), "goal met")
    assert str(four) == "not measured: litserve with trees at 32"


def test_all_four_must_be_measured_before_pawl_is_held_to_the_best_of_them() -> None:
    peers = {"litserve": 5, "bentoml": 10, "mlserver": 4, "ray": 2}
    done = [sample("pawl", 90), *(sample(name, rate) for name, rate in peers.items())]
    [verdict] = [each for each in judge_run(Rounds(done)) if each.bound.what.endswith("Ray Serve")]
    assert verdict.reached == Spread(9, (9,))


def test_on_a_gpu_the_model_that_reaches_least_counts_with_its_best_load() -> None:
    models = {}
    for name, rates in {"small": (50, 90), "large": (81,)}.items():
        models[name] = {"samples": [{"rate": rate, "alone": 100, "errors": 0} for rate in rates]}
    *_, gpu = judge({"gpu": {"models": models}})
    assert (str(gpu.reached), str(gpu)) == ("0.81", "met")


def test_the_load_generator_gets_what_the_servers_leave_or_shares_with_them() -> None:
    assert share({0, 1, 2, 3}, 2) == ({0, 1}, {2, 3})
    assert share({0, 1}, 2) == ({0, 1}, {0, 1})
    assert share({5}, 2) == ({5}, {5})


def test_samples_are_kept_whole() -> None:
    assert Sample(**asdict(sample("pawl", 1))) == sample("pawl", 1)
