"""How two versions of a model differ, as git writes it, within a bound."""

from __future__ import annotations

from contextlib import closing

from core.release import Candidate
from loader.sources.git.mirror.mirror_objects import MirrorObjects
from loader.sources.past import Patch

_REQUIREMENTS = "requirements.txt"


def read_patch(
    before: Candidate, after: Candidate, folder: tuple[str, ...], objects: MirrorObjects, most: int
) -> Patch:
    """In the folders that make up either of them, and the requirements where those apply; `folder`: where those are."""
    paths = ["/".join((*folder, name)) for name in sorted(_names(before) | _names(after))]
    if any(one.revision is not None and one.revision.default_requirements for one in (before, after)):
        paths += sorted({"/".join((*folder, _REQUIREMENTS)), _REQUIREMENTS})
    found, size = [], 0
    with closing(objects.patch(before.version.commit, after.version.commit, paths)) as pieces:
        for piece in pieces:
            found.append(piece)
            size += len(piece)
            if size > most:
                break
    text = b"".join(found)
    return Patch(text[:most].decode("utf-8", "replace"), is_cut=size > most)


def _names(candidate: Candidate) -> set[str]:
    """Those of a revision that can't be made are only the model's own."""
    return {candidate.model} if candidate.revision is None else set(candidate.revision.folders)
