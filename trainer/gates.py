"""Whether what a run left may go live, by its scores. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from core.manifest.train import Train
from core.runs.runs import AttemptResult
from core.runs.states import Reason, RunState


@dataclass(frozen=True)
class Live:
    """What the artifact that is live scored when it was made."""

    artifact: str
    run: str
    scores: Mapping[str, float]
    dataset_fingerprint: str = ""
    validation_fingerprint: str = ""


@dataclass(frozen=True)
class Judgement:
    """`state` is succeeded, rejected or failed."""

    state: RunState
    reason: Reason | None = None
    message: str = ""
    compared: str = ""
    """How it compares with what is live, or why it was not compared; empty: nobody asked."""


def judge(train: Train, attempt: AttemptResult, live: Live | None) -> Judgement:
    """What becomes of a run whose attempt has trained. `live` is None where nothing is."""
    metric = train.metric or next(iter(attempt.scores), "")
    score = attempt.scores.get(metric)
    if score is None or not math.isfinite(score):
        return Judgement(RunState.FAILED, Reason.NO_SCORES, _no_score(metric, attempt.scores))
    if beyond := _beyond_target(train, metric, score):
        return Judgement(RunState.REJECTED, Reason.BELOW_TARGET, beyond)
    if train.over_live is None:
        return Judgement(RunState.SUCCEEDED)
    return _over_live(train, metric, score, train.over_live, attempt, live)


def is_same_data(attempt: AttemptResult, live: Live) -> bool:
    """Whether recorded scores can be compared: on the same validation data, or, where a model names none, on what its
    code cut off from the same dataset."""
    if attempt.validation_fingerprint != live.validation_fingerprint:
        return False
    return bool(attempt.validation_fingerprint) or attempt.dataset_fingerprint == live.dataset_fingerprint


def _no_score(metric: str, scores: Mapping[str, float]) -> str:
    if not scores:
        return "the run left no scores; return a number or a dict of numbers"
    if metric not in scores:
        return f"there is no score named {metric!r}, which train.metric asks for; there are {', '.join(scores)}"
    return f"{metric} is {scores[metric]}, which is not a number that can be compared"


def _beyond_target(train: Train, metric: str, score: float) -> str:
    target = train.target
    if target is not None and target.min is not None and score < target.min:
        return f"{metric} is {score:.6g}, below the target's min of {target.min:.6g}"
    if target is not None and target.max is not None and score > target.max:
        return f"{metric} is {score:.6g}, above the target's max of {target.max:.6g}"
    return ""


def _over_live(
    train: Train, metric: str, score: float, least: float, attempt: AttemptResult, live: Live | None
) -> Judgement:
    if live is None:
        return Judgement(RunState.SUCCEEDED, compared="not compared: nothing is live yet")
    if live.artifact == attempt.artifact:
        return Judgement(RunState.SUCCEEDED, compared="not compared: the artifact is the live one")
    scores = _scores_of(live, attempt)
    if isinstance(scores, str) or metric not in scores:
        why = scores if isinstance(scores, str) else _not_named(metric, scores, is_same_data(attempt, live))
        return Judgement(RunState.SUCCEEDED, compared=f"not compared: {why}")
    gain = score - scores[metric] if train.direction == "maximize" else scores[metric] - score
    compared = f"{metric} is {score:.6g}, and {scores[metric]:.6g} of what is live (run {live.run})"
    if gain >= least or math.isclose(gain, least, rel_tol=1e-9, abs_tol=1e-12):
        return Judgement(RunState.SUCCEEDED, compared=compared)
    wanted = f"an improvement of at least {least:.6g}" if least else "no worse"
    return Judgement(
        RunState.REJECTED, Reason.NOT_OVER_LIVE, f"{compared}; train.over_live asks for {wanted}", compared
    )


def _scores_of(live: Live, attempt: AttemptResult) -> Mapping[str, float] | str:
    """What the live artifact scores on the run's validation data, or why nobody knows."""
    if is_same_data(attempt, live):
        return live.scores
    if not attempt.validation_fingerprint:
        return "the dataset is another; name validation data as train.validation, on which both can be judged"
    if not attempt.live_artifact:
        return "the attempt began before train.over_live was asked for, or before anything was live"
    if attempt.live_artifact != live.artifact:
        return f"what is live now (run {live.run}) went live while the run went on"
    return attempt.live_scores or attempt.live_message


def _not_named(metric: str, scores: Mapping[str, float], are_recorded: bool) -> str:
    gave = f"{', '.join(scores)} alone" if scores else "none"
    if are_recorded:
        return f"what is live has no score named {metric!r} ({gave})"
    return f"evaluate gave no score named {metric!r} for what is live ({gave}); have it return a dict with that name"
