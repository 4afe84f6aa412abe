"""The artifact that a folder which trains is served with, as far as one is at hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from core.errors import ReleaseFailed, StoreUnavailable
from core.release import Release, Revision
from core.settings.settings import Settings
from loader.artifacts.files.place import open_files
from loader.artifacts.records import RunRecords
from loader.artifacts.shipped import SHIPPED
from loader.artifacts.store import ArtifactStore
from trainer.records.accepted import AcceptedArtifacts, read_results


def release_at_hand(revision: Revision, folder: Path, settings: Settings) -> tuple[Release, ArtifactStore | None]:
    """The revision with the newest artifact of its code: of those shipped beside the folder, or in the server's store.

    Raises ReleaseFailed where it trains and there is none.
    """
    if revision.code_key is None:
        return Release(revision), None
    for store, records in _stores(folder, settings):
        accepted = AcceptedArtifacts()
        for result in read_results(records, [revision.model]):
            accepted.add(result)
        if found := accepted.newest_first().get(revision.code_key):
            return Release(revision, found[0]), store
    raise ReleaseFailed(
        f"{folder.name} trains, and no run of its code as it is now was accepted, so that there is nothing to check it "
        "with. A push starts a run, and what it leaves has to pass examples.json before it goes live. Whether it "
        f"trains says: pawl train {folder}. Where a server has trained it, ARTIFACTS or DATA_DIR name the store",
        stage="checkout",
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
