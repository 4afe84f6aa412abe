"""What is known of a model now, read from the parts that know it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from core.release import Candidate
from loader.controller.model_controller import ModelController
from loader.desire import newest_release
from loader.reconcile import Reconciler
from loader.workers.pool import Pool
from server.state import failure_of
from server.versions.version_status import ModelSituation, OnItsWay


class Situations:
    """For the loop's own thread."""

    def __init__(
        self,
        reconciler: Reconciler,
        on_demand: Callable[[], Iterable[Pool]],
        asked_for: Callable[[str], Mapping[str, str]] = lambda model: {},
    ) -> None:
        """`on_demand`: the pools of versions that were asked for by name. `asked_for(model)`: those names, by the ids
        of the releases, also of those that are being started."""
        self._reconciler = reconciler
        self._on_demand = on_demand
        self._asked_for = asked_for

    def of(self, model: str) -> ModelSituation:
        decided = self._reconciler.known.decided
        rejected = (decided.rejections or {}).get(model)
        on_demand = frozenset(pool.release.id for pool in self._on_demand() if pool.release.model == model)
        head = self._head(model)
        controller = self._reconciler.controllers.get(model)
        known = frozenset() if rejected is None else rejected.releases
        if controller is None:
            return ModelSituation(on_demand=on_demand, rejected=known, head=head)
        wanted, failure = controller.wanted, controller.failure
        return ModelSituation(
            live=None if controller.live is None else controller.live.pool.release.id,
            on_demand=on_demand,
            rejected=known,
            head=head,
            wanted=None if wanted is None or wanted.release is None else wanted.release.id,
            failed="" if failure is None else _subject(failure.key),
            failure=failure_of(controller),
            way=self._way(controller),
        )

    def labels(self, model: str) -> Mapping[str, str]:
        """What those of a model's releases go by that run, are started, are wanted or failed, by their ids."""
        found = dict(self._asked_for(model))
        controller = self._reconciler.controllers.get(model)
        if controller is None:
            return found
        if controller.failure is not None:
            found[_subject(controller.failure.key)] = controller.failure.version.label
        if controller.wanted is not None and controller.wanted.release is not None:
            found[controller.wanted.release.id] = controller.wanted.version.label
        if controller.live is not None:
            found[controller.live.pool.release.id] = controller.live.version.label
        return found

    def is_known(self, model: str) -> bool:
        return model in self._reconciler.controllers

    def _head(self, model: str) -> str:
        head: Candidate | None = self._reconciler.known.heads.get(model)
        if head is None:
            return ""
        release = None if head.revision is None else newest_release(head.revision, self._reconciler.known.decided)
        return head.version.commit if release is None else release.id

    def _way(self, controller: ModelController) -> OnItsWay | None:
        progress = controller.progress
        if progress.release is None:
            return None
        taken = {"fetch": round(self._reconciler.known_source.look_s, 3), **progress.seconds}
        return OnItsWay(progress.release, progress.step, taken)


def _subject(key: str) -> str:
    """What a failure's key is about: a release's id, or a commit before the reason."""
    return key.partition(":")[0]
