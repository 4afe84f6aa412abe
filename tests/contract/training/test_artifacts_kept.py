"""Artifacts are kept as long as something may be served from them, and no longer."""

from __future__ import annotations

import json
import os
from pathlib import Path

from loader.artifacts.files.place import open_files
from loader.artifacts.store import ArtifactStore
from tests.contract.training.trained import BASE, write
from tests.repos import Repo
from tests.serving import serving
from tests.waiting import wait_for


def test_what_nothing_needs_is_removed_and_what_is_live_stays(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    write(repo, "Scale", BASE)
    repo.commit()
    data = tmp_path / "data"
    with serving(data, repo.path) as server:
        server.wait_live("Scale", "v1")
    store = ArtifactStore(open_files("", data))
    [artifact] = [one.name for one in store.list()]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "weights").write_text("of a run that left no record")
    orphan = store.put(tmp_path / "out")
    for id in (artifact, orphan):
        os.utime(data / "artifacts" / "artifacts" / id / "manifest.json", (0, 0))
    with serving(data, repo.path) as server:
        wait_for(lambda: not store.has(orphan), "the end of what nothing needs")
        assert store.has(artifact)
        [told] = (data / "artifacts" / "in-use").glob("*/needed.json")
        assert json.loads(told.read_bytes()) == {"artifacts": [artifact]}
        assert server.post("/Scale", {"variables": {"x": 10}}).json["scaled"] == 20.0
