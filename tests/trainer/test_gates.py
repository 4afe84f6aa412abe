from __future__ import annotations

from typing import Any

import msgspec
import pytest

from core.manifest.train import Train
from core.runs.runs import AttemptResult
from core.runs.states import Reason, RunState
from trainer.gates import Judgement, Live, judge


def verdict(train: dict[str, Any], scores: dict[str, float], live: Live | None = None, **attempt: Any) -> Judgement:
    fields = {"run": "a" * 12, "attempt": 1, "model": "Iris", "state": RunState.SUCCEEDED, "artifact": "new", **attempt}
    return judge(msgspec.convert(train, Train), AttemptResult(scores=scores, **fields), live)


def live(scores: dict[str, float], dataset: str = "d", validation: str = "v") -> Live:
    return Live("old", "b" * 12, scores, dataset, validation)


SAME = {"dataset_fingerprint": "d", "validation_fingerprint": "v"}


@pytest.mark.parametrize(
    ("target", "score", "state"),
    [
        ({"min": 0.9}, 0.9, RunState.SUCCEEDED),
        ({"min": 0.9}, 0.89, RunState.REJECTED),
        ({"max": 0.1}, 0.1, RunState.SUCCEEDED),
        ({"max": 0.1}, 0.2, RunState.REJECTED),
        ({"min": 0.1, "max": 0.3}, 0.2, RunState.SUCCEEDED),
        ({"min": 0.1, "max": 0.3}, 0.4, RunState.REJECTED),
    ],
)
def test_a_score_must_reach_the_target(target: dict[str, float], score: float, state: RunState) -> None:
    found = verdict({"target": target}, {"accuracy": score})
    assert found.state is state
    assert found.reason is (None if state is RunState.SUCCEEDED else Reason.BELOW_TARGET)


def test_the_message_says_by_how_much_the_target_was_missed() -> None:
    assert verdict({"target": {"min": 0.9}}, {"f1": 0.5}).message == "f1 is 0.5, below the target's min of 0.9"


def test_the_first_score_counts_unless_another_is_named() -> None:
    scores = {"accuracy": 0.5, "loss": 0.95}
    assert verdict({"target": {"min": 0.9}}, scores).state is RunState.REJECTED
    assert verdict({"target": {"min": 0.9}, "metric": "loss"}, scores).state is RunState.SUCCEEDED


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({}, "left no scores"),
        ({"loss": 1.0}, "no score named 'accuracy', which train.metric asks for; there are loss"),
        ({"accuracy": float("nan")}, "not a number that can be compared"),
    ],
)
def test_without_the_score_that_counts_the_run_fails(scores: dict[str, float], said: str) -> None:
    found = verdict({"metric": "accuracy"}, scores)
    assert (found.state, found.reason) == (RunState.FAILED, Reason.NO_SCORES)
    assert said in found.message


@pytest.mark.parametrize(
    ("direction", "least", "score", "state"),
    [
        ("maximize", 0, 0.8, RunState.SUCCEEDED),
        ("maximize", 0, 0.79, RunState.REJECTED),
        ("maximize", 0.1, 0.9, RunState.SUCCEEDED),
        ("maximize", 0.1, 0.89, RunState.REJECTED),
        ("minimize", 0, 0.8, RunState.SUCCEEDED),
        ("minimize", 0, 0.81, RunState.REJECTED),
        ("minimize", 0.1, 0.7, RunState.SUCCEEDED),
        ("minimize", 0.1, 0.75, RunState.REJECTED),
    ],
)
def test_what_is_live_must_be_improved_upon(direction: str, least: float, score: float, state: RunState) -> None:
    found = verdict({"direction": direction, "over_live": least}, {"x": score}, live({"x": 0.8}), **SAME)
    assert found.state is state
    assert found.reason is (None if state is RunState.SUCCEEDED else Reason.NOT_OVER_LIVE)
    assert "0.8 of what is live" in found.compared


def test_nothing_is_compared_unless_asked() -> None:
    assert verdict({}, {"x": 0.1}, live({"x": 0.8}), **SAME) == Judgement(RunState.SUCCEEDED)


def test_on_other_data_what_evaluate_says_counts() -> None:
    other = {"dataset_fingerprint": "d", "validation_fingerprint": "w", "live_artifact": "old"}
    found = verdict({"over_live": 0}, {"x": 0.7}, live({"x": 0.8}), live_scores={"x": 0.6}, **other)
    assert found.state is RunState.SUCCEEDED
    found = verdict({"over_live": 0}, {"x": 0.7}, live({"x": 0.6}), live_scores={"x": 0.8}, **other)
    assert found.reason is Reason.NOT_OVER_LIVE


@pytest.mark.parametrize(
    ("attempt", "scores", "said"),
    [
        (
            {"validation_fingerprint": "w", "live_artifact": "old", "live_message": "evaluate raised"},
            {"x": 0.9},
            "evaluate raised",
        ),
        (
            {"validation_fingerprint": "w", "live_artifact": "old", "live_scores": {"score": 0.9}},
            {"x": 0.9},
            "evaluate gave no score named 'x' for what is live (score alone); have it return a dict",
        ),
        (
            {"validation_fingerprint": "w", "live_artifact": "older", "live_scores": {"x": 0.9}},
            {"x": 0.9},
            f"what is live now (run {'b' * 12}) went live while the run went on",
        ),
        ({"validation_fingerprint": "w"}, {"x": 0.9}, "the attempt began before train.over_live was asked for"),
        ({"dataset_fingerprint": "e", "validation_fingerprint": ""}, {"x": 0.9}, "name validation data as train"),
        (SAME, {"y": 0.9}, "what is live has no score named 'x' (y alone)"),
        ({**SAME, "artifact": "old"}, {"x": 0.9}, "the artifact is the live one"),
    ],
)
def test_what_cannot_be_compared_passes_and_says_so(
    attempt: dict[str, Any], scores: dict[str, float], said: str
) -> None:
    recorded = live(scores, validation=attempt["validation_fingerprint"] and "v")
    found = verdict({"over_live": 0}, {"x": 0.1}, recorded, **attempt)
    assert found.state is RunState.SUCCEEDED
    assert found.compared.startswith("not compared: ")
    assert said in found.compared


def test_the_first_artifact_has_nothing_to_be_compared_with() -> None:
    assert verdict({"over_live": 0}, {"x": 0.1}).compared == "not compared: nothing is live yet"


@pytest.mark.parametrize(("dataset", "compared"), [("d", True), ("e", False)])
def test_without_validation_data_scores_are_comparable_on_the_same_dataset(dataset: str, compared: bool) -> None:
    found = verdict({"over_live": 0}, {"x": 0.1}, live({"x": 0.8}, "d", ""), dataset_fingerprint=dataset)
    assert (found.reason is Reason.NOT_OVER_LIVE) is compared
