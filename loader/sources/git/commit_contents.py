"""What a commit holds: its model folders, what there is to say of each, and the text of a manifest."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from core.errors import ReleaseFailed, failure_of_ours
from core.release import Candidate, Version
from loader.files.git_objects import FOLDER, Entry, MirrorDamaged, Objects
from loader.files.manifests import Manifests
from loader.files.model_folders import MANIFEST, MOST_MANIFEST_BYTES, REQUIREMENTS, Folder, Folders
from loader.sources.changes import ManifestText, too_long_to_edit
from loader.sources.git.mirror.mirror_objects import MirrorObjects

log = logging.getLogger("pawl.loader")


def folders_of(
    commit: str, segments: Sequence[str], objects: MirrorObjects, looked_at: dict[str, Folder], manifests: Manifests
) -> Folders:
    """The folders in that which `segments` lead to; its requirements.txt, or else the repository's, is the default."""
    root = objects.root(commit)
    tree = _folder(root, segments, objects)
    entries = _entries(tree, objects) if tree else {}
    above = entries if tree == root else _entries(root, objects)
    requirements = (found[REQUIREMENTS] for found in (entries, above) if REQUIREMENTS in found)
    default = next((entry.id for entry in requirements if entry.is_file), None)
    return Folders(entries, default, objects, looked_at, manifests)


def candidate_of(model: str, version: Version, folders: Folders) -> Candidate:
    try:
        return Candidate(model, version, folders.revision(model))
    except ReleaseFailed as failure:
        return Candidate(model, version, None, failure)
    except MirrorDamaged:
        raise
    except Exception as error:
        log.exception("%s: a failure of Pawl's own while looking at it", model)
        return Candidate(model, version, None, failure_of_ours(error))


def manifest_text_of(model: str, commit: str, segments: Sequence[str], objects: MirrorObjects) -> ManifestText:
    """Empty where there is none."""
    tree = _folder(objects.root(commit), (*segments, model), objects)
    entry = _entries(tree, objects).get(MANIFEST) if tree else None
    if entry is None or not entry.is_file:
        return ManifestText(b"", commit)
    if objects.size(entry.id) > MOST_MANIFEST_BYTES:
        raise too_long_to_edit(model, MOST_MANIFEST_BYTES)
    return ManifestText(objects.blob(entry.id), commit)


def _folder(tree: str, segments: Sequence[str], objects: Objects) -> str | None:
    """Id of the tree at that path under `tree`, or None."""
    for part in segments:
        wanted = part.encode("utf-8", "surrogateescape")
        found = next((entry for entry in objects.tree(tree) if entry.name == wanted), None)
        if found is None or found.mode != FOLDER:
            return None
        tree = found.id
    return tree


def _entries(tree: str, objects: Objects) -> Mapping[str, Entry]:
    return {entry.name.decode("utf-8", "surrogateescape"): entry for entry in objects.tree(tree)}
