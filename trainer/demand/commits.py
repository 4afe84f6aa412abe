"""The code that a run is of: that of the followed head, or of another commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.errors import NotTrainable
from core.release import Candidate
from trainer.demand.demand import Trainable


class Commits:
    def __init__(
        self, heads: Callable[[], Mapping[str, Trainable] | None], resolve: Callable[[str, str], Candidate]
    ) -> None:
        """`heads`: None: they are not known yet. `resolve(model, commit)` raises VersionNotFound, VersionAmbiguous."""
        self._heads = heads
        self._resolve = resolve

    def trainable(self, model: str, commit: str | None) -> Trainable:
        """None: of the head. Raises NotTrainable, and what `resolve` does."""
        head = (self._heads() or {}).get(model)
        if commit is None or (head is not None and head.version.commit == commit):
            if head is None:
                raise NotTrainable(f"{model} has neither a train.py nor a train section in model.yaml")
            return head
        found = self._resolve(model, commit)
        if found.revision is None or found.revision.code_key is None:
            raise found.failure or NotTrainable(f"{model} does not train at commit {commit}")
        return Trainable(found.version, found.revision)
