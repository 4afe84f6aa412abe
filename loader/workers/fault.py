"""Whether a worker has to end, and how."""

from __future__ import annotations

from dataclasses import dataclass

from core.manifest.manifest import Serve
from loader.workers.process.heartbeat import Standstill
from worker.wire.status_page import FIRST_REQUEST_SLOT

_LOOP_MARGIN_S = 0.5
_LOOP_LEAST_S = 3.5
"""A loop begins an iteration at least every two seconds, on a busy machine a little later."""
_LOOP_WELL_S = 3.0
"""A loop whose last heartbeat is no older still answers requests."""


@dataclass(frozen=True)
class Fault:
    """Why a worker has to end."""

    what: str
    tell_where: bool = False
    """Whether the report needs a traceback of where the worker was."""
    others_can_go_on: bool = False
    """Whether it can answer its other requests first."""


def standing_still(still: Standstill, serve: Serve) -> Fault | None:
    """What is wrong with a worker that stands still for so long, if anything."""
    hanging = still.longer_than(serve.timeout_s)
    if hanging:
        took = f"{still.slices[hanging[0]]:.1f} s, longer than serve.timeout_s allows"
        if _others_can_go_on(hanging, still, serve):
            what = f"has a request that hangs for {took}; it answers the others, and another takes its place"
            return Fault(what, tell_where=True, others_can_go_on=True)
        return Fault(f"hung for {took}, and was ended", tell_where=True)
    if still.loop > max(serve.timeout_s + _LOOP_MARGIN_S, _LOOP_LEAST_S):
        return Fault(
            f"stood still for {still.loop:.1f} s with no request that hangs, longer than serve.timeout_s allows, and "
            "was ended (does a thread of the model's own hold the interpreter's lock, or was the process stopped?)",
            tell_where=True,
        )
    return None


def _others_can_go_on(hanging: list[int], still: Standstill, serve: Serve) -> bool:
    """Not without a thread for them, nor without the batches' thread or the loop."""
    return len(hanging) < serve.threads and min(hanging) >= FIRST_REQUEST_SLOT and still.loop < _LOOP_WELL_S
