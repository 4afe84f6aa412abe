"""Which steps a question about traffic is answered in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from core.traffic.resolution import COARSEST, FINEST, RESOLUTIONS, Resolution

MOST_STEPS = 2_000
_AT_A_GLANCE = 400
"""Steps of an answer whose step nobody chose, at most."""
_LAST_S = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
"""Where the last whole step that there can be begins."""


@dataclass(frozen=True)
class Steps:
    """Half-open, in seconds since 1970: the last step may be cut off by the end."""

    from_s: int
    to_s: int
    step_s: int
    resolution: Resolution
    """Of the buckets that are read."""

    @property
    def count(self) -> int:
        return -(-(self.to_s - self.from_s) // self.step_s)

    def index(self, at_s: int) -> int:
        return (at_s - self.from_s) // self.step_s


def fitting_start(begins: datetime, ends: datetime) -> datetime:
    """The beginning, moved back to where a step begins."""
    step_s = fitting_step((ends - begins).total_seconds())
    return datetime.fromtimestamp(_down(begins.timestamp(), step_s), UTC)


def choose_steps(from_s: float, to_s: float, step_s: int | None, now_s: float) -> Steps:
    """The asked-for stretch and step as far as buckets are fine enough: the beginning goes back and the end goes on to
    where a bucket begins. `step_s`: None for one that suits the length."""
    begins, ends = _down(min(from_s, _LAST_S), FINEST.step_s), _up(min(to_s, _LAST_S), FINEST.step_s)
    wanted = step_s or fitting_step(ends - begins)
    wanted = _up(max(wanted, (ends - begins) / MOST_STEPS), FINEST.step_s)
    resolution = _resolution(begins, ends, wanted, now_s)
    step = _up(wanted, resolution.step_s)
    begins = _down(begins, resolution.step_s)
    ends = max(_up(ends, resolution.step_s), begins)
    return Steps(begins, ends, step, resolution)


def fitting_step(length_s: float) -> int:
    """Of an answer whose step nobody chose. A stretch that begins where such a step does is read quickest."""
    return next((each.step_s for each in RESOLUTIONS if length_s <= each.step_s * _AT_A_GLANCE), COARSEST.step_s)


def _resolution(begins: int, ends: int, step: int, now_s: float) -> Resolution:
    """The coarsest that cuts nothing; else the finest that reaches back as far."""
    exact = [
        each
        for each in RESOLUTIONS
        if step % each.step_s == 0
        and begins % each.step_s == 0
        and (ends % each.step_s == 0 or ends >= now_s)
        and _reaches(each, begins, now_s)
    ]
    reaching = [each for each in RESOLUTIONS if _reaches(each, begins, now_s)]
    return exact[-1] if exact else reaching[0] if reaching else COARSEST


def _reaches(resolution: Resolution, begins: int, now_s: float) -> bool:
    return begins >= now_s - resolution.kept_s


def _down(moment: float, step: int) -> int:
    return int(moment // step) * step


def _up(moment: float, step: int) -> int:
    return int(-(-moment // step)) * step
