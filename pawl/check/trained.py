"""The artifact that a folder which trains is served with, as far as one is at hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from core.errors import StoreUnavailable
from core.release import Release, Revision
from core.settings.settings import Settings
from loader.artifacts.files.place import open_files
from loader.artifacts.records import RunRecords
from loader.artifacts.shipped import SHIPPED
from loader.artifacts.store import ArtifactStore
from loader.workers.examples import read_examples
from server.uploads.training_contract import check_training
from trainer.records.accepted import AcceptedArtifacts, read_results


def release_at_hand(
    revision: Revision, folder: Path, settings: Settings
) -> tuple[Release | None, ArtifactStore | None]:
    """The revision with the newest artifact of its code: of those shipped beside the folder, or in the server's store.
    None: it trains, and there is none."""
    if revision.code_key is None:
        return Release(revision), None
    for store, records in _stores(folder, settings):
        accepted = AcceptedArtifacts()
        for result in read_results(records, [revision.model]):
            accepted.add(result)
        if found := accepted.newest_first().get(revision.code_key):
            return Release(revision, found[0]), store
    return None, None


def check_untrained(revision: Revision, folder: Path) -> str:
    """What can be told of a folder that trains without running any of it. Raises ReleaseFailed, NotExamined."""
    check_training(folder, revision.manifest.train)
    read_examples(folder)
    return (
        "no accepted run of its code as it is now is known here, so nothing was loaded, and no example was sent. "
        f"Train it here and now: pawl train {folder}. A push starts a run too, and what that leaves has to pass "
        "examples.json before it goes live. Where a server has trained it, ARTIFACTS or DATA_DIR name its store"
    )


def _stores(folder: Path, settings: Settings) -> Iterable[tuple[ArtifactStore, RunRecords]]:
    shipped, own = folder.parent / SHIPPED, settings.data / "artifacts"
    for place in [shipped.absolute().as_uri() if shipped.is_dir() else "", settings.artifacts or _uri(own)]:
        if place:
            try:
                files = open_files(place, settings.data)
            except StoreUnavailable:
                continue
            yield ArtifactStore(files), RunRecords(files)


def _uri(folder: Path) -> str:
    return folder.absolute().as_uri() if folder.is_dir() else ""
