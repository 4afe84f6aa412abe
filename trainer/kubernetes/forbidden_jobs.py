"""Jobs that the cluster forbids for now, for a quota is used up, the Role lacks a verb, or a webhook that is to admit
them fails: asked for again, but not at each look, and given up after as long as an attempt may wait for a place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.runs.runs import Failure, RunSpec
from core.runs.states import Reason
from trainer.executor import NotBegun
from trainer.kubernetes.errors import Forbidden, WebhookFailed

AGAIN_S = 10.0


@dataclass(frozen=True)
class _Refusal:
    since: float
    last: float
    error: Forbidden | WebhookFailed


class ForbiddenJobs:
    """For one thread. A restart begins the wait anew."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._refusals: dict[tuple[str, int], _Refusal] = {}

    def check(self, spec: RunSpec) -> None:
        """Raises the error of a moment ago, where it was forbidden then."""
        known = self._refusals.get((spec.run, spec.attempt))
        if known is not None and self._now() < known.last + AGAIN_S:
            raise known.error

    def note(self, spec: RunSpec, error: Forbidden | WebhookFailed) -> None:
        """Raises NotBegun once it has lasted too long."""
        key, now = (spec.run, spec.attempt), self._now()
        since = self._refusals[key].since if key in self._refusals else now
        self._refusals[key] = _Refusal(since, now, error)
        if now > since + spec.train.pending_s:
            del self._refusals[key]
            message = f"after {spec.train.pending_s:g} s (train.pending_s), the cluster still forbids its Job: {error}"
            raise NotBegun(Failure(Reason.UNSCHEDULABLE, f"{message}; {_advice(error)}")) from error

    def forget(self, key: str) -> None:
        self._refusals = {place: refusal for place, refusal in self._refusals.items() if place[0] != key}


def _advice(error: Forbidden | WebhookFailed) -> str:
    if isinstance(error, WebhookFailed):
        return "see to that webhook, and have the run tried again"
    return "see to its quota, and to Pawl's Role"
