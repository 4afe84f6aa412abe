"""What a model's events say."""

from __future__ import annotations

from collections.abc import Callable

from core.events import BY_PUSH, Actor, Event, EventKind
from core.release import Version
from loader.controller.decision import Failure, pause_after
from loader.controller.routes import Live
from loader.workers.report import Report


class EventTexts:
    """Records what happens to one model, in words for who reads the log or the admin API."""

    def __init__(self, model: str, record: Callable[[Event], None]) -> None:
        self._model = model
        self._record = record

    def live(self, live: Live, took_s: float, actor: Actor | None) -> None:
        """`actor`: whose doing it is; None: it comes by itself."""
        runs = "".join(f", {each.runs}" for each in live.pool.description.sessions)
        of_run = f" (run {live.run})" if live.run else ""
        message = f"{live.version.label}{of_run} is live after {took_s:.2f} s{runs}"
        self._event(EventKind.LIVE, message, live.version, actor=actor)

    def failed(self, failure: Failure, live: Live | None, actor: Actor | None) -> None:
        """`live`: what goes on answering."""
        version, error = failure.version, failure.error
        keeps = "nothing is live yet" if live is None else f"{live.version.label} stays live"
        self._event(
            EventKind.FAILED,
            f"{version.label} failed{_again(failure)} at {error.stage}: {error} ({keeps}{_next(failure)})",
            version,
            error.detail,
            actor,
        )

    def renamed(self, version: Version) -> None:
        self._event(EventKind.RENAMED, f"the live release is {version.label} now", version, actor=BY_PUSH)

    def removed(self) -> None:
        self._event(EventKind.REMOVED, "its folder has gone", None, actor=BY_PUSH)

    def reported(self, report: Report, version: Version | None) -> None:
        """What a pool tells of itself; `version`: what its release goes by, if that is live or on its way."""
        self._event(EventKind(report.happening.value), report.message, version, report.detail)

    def _event(
        self,
        kind: EventKind,
        message: str,
        version: Version | None,
        detail: str = "",
        actor: Actor | None = None,
    ) -> None:
        self._record(
            Event(
                kind=kind,
                model=self._model,
                message=message,
                version="" if version is None else version.label,
                commit="" if version is None else version.commit,
                detail=detail,
                actor=actor,
            )
        )


def _again(failure: Failure) -> str:
    return "" if failure.tries == 1 else f" again (try {failure.tries})"


def _next(failure: Failure) -> str:
    pause_s = pause_after(failure)
    if pause_s is not None:
        return f"; next try in {pause_s:g} s"
    return "; not tried again until it changes" if failure.error.heals else ""
